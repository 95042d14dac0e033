"""judged records: verdicts on what was flagged, and states that leave out what was set aside

Revision: 0008
Revises: 0007
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


SQL = Path(__file__).resolve().parents[1] / "sql"
TABLES = ("door_visit", "care_visit")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("verdict", sa.Text(), nullable=True))
        op.add_column(table, sa.Column("reason_sealed", sa.LargeBinary(), nullable=True))
        op.add_column(table, sa.Column("judged_by", sa.Uuid(), nullable=True))
        op.add_column(table, sa.Column("judged_by_name", sa.String(), server_default=sa.text("''"), nullable=False))
        op.add_column(table, sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True))
        op.create_check_constraint(f"ck_{table}_verdict_known", table, "verdict IN ('confirmed', 'set_aside')")
        op.create_index(
            f"ix_{table}_flagged",
            table,
            ["community_code", "id"],
            postgresql_where=sa.text("flag_code IS NOT NULL AND verdict IS NULL"),
        )
    op.get_bind().connection.dbapi_connection.execute((SQL / "0008_judged_records.sql").read_text())  # type: ignore[union-attr]


def downgrade() -> None:
    raise RuntimeError("functions are replaced forward only: verdicts would be lost")
