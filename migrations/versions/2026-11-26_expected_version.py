"""what official counts were added up to holds until one of them changes

Revision: 0037
Revises: 0036
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table = op.create_table(
        "expected_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_expected_version_only_one"),
        sa.PrimaryKeyConstraint("id", name="pk_expected_version"),
    )
    op.bulk_insert(table, [{"id": 1, "version": 1}])
    op.execute("REVOKE INSERT, DELETE, TRUNCATE ON expected_version FROM pioneer_app")


def downgrade() -> None:
    op.drop_table("expected_version")
