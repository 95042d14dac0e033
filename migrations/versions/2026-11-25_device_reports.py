"""devices: what a phone says of itself

Revision: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("device", sa.Column("app_version", sa.String(), nullable=True))
    op.add_column("device", sa.Column("keeps_storage", sa.Boolean(), nullable=True))


def downgrade() -> None:
    op.drop_column("device", "keeps_storage")
    op.drop_column("device", "app_version")
