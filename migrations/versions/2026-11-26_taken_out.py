"""what an undo has taken out, for phones that have not heard; records about households that are closed

Recreates `care_record_visits` from 0018 (its newest before this). What changes it next begins from
`sql/0039_closed_households.sql`.

Revision: 0039
Revises: 0038
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

SQL = Path(__file__).resolve().parents[1] / "sql"


def upgrade() -> None:
    op.create_table(
        "taken_out",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("dwelling_id", sa.Uuid(), nullable=False),
        sa.Column("is_home", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("person_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("delete_by", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("community_code", "household_id"),
    )
    op.create_index("ix_taken_out_delete_by", "taken_out", ["delete_by"])
    op.execute("ALTER TABLE taken_out ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY scope ON taken_out USING (coalesce(community_code LIKE ANY "
        "(string_to_array(current_setting('app.scope', true), ',')), false))"
    )
    op.get_bind().connection.dbapi_connection.execute((SQL / "0039_closed_households.sql").read_text())  # type: ignore[union-attr]


def downgrade() -> None:
    raise RuntimeError("functions are replaced forward only")
