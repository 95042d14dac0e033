"""access records: reveals, copies and corrections with their purpose

Revision: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_record",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("fields", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("purpose_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('reveal', 'copy', 'correction')", name="ck_access_record_kind_known"),
        sa.PrimaryKeyConstraint("community_code", "id"),
    )
    op.create_index("ix_access_record_resident", "access_record", ["community_code", "resident_id"])
    op.create_index("ix_access_record_actor", "access_record", ["actor_id", "at"])
    op.execute("ALTER TABLE access_record ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY scope ON access_record USING (community_code LIKE ANY "
        "(string_to_array(current_setting('app.scope', true), ',')))"
    )
    # written once, like the trail; a purpose may be sealed anew under another key
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON access_record FROM pioneer_app")
    op.execute("GRANT UPDATE (purpose_sealed) ON access_record TO pioneer_app")


def downgrade() -> None:
    op.drop_table("access_record")
