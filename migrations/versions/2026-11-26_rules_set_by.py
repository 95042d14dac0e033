"""who has set a rule

Revision: 0032
Revises: 0031
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dated_rule", sa.Column("set_by_name", sa.String(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("dated_rule", "set_by_name")
