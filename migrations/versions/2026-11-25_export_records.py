"""exports: who took which list away

Revision: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "export_record",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("filter_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("community_code", "id"),
    )
    op.execute("ALTER TABLE export_record ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY scope ON export_record USING (community_code LIKE ANY "
        "(string_to_array(current_setting('app.scope', true), ',')))"
    )
    # written once, like the trail; a filter may be sealed anew under another key
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON export_record FROM pioneer_app")
    op.execute("GRANT UPDATE (filter_sealed) ON export_record TO pioneer_app")


def downgrade() -> None:
    op.drop_table("export_record")
