"""of when the list is that a household or a person came with

Revision: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("household", "resident"):
        op.add_column(table, sa.Column("listed_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for table in ("household", "resident"):
        op.drop_column(table, "listed_at")
