"""knocks at households that had been closed

Recreates `screening_record_door_visits` from 0038 (its newest before this). What changes it next begins from
`sql/0040_knocks_at_closed_households.sql`.

Revision: 0040
Revises: 0039
"""

from pathlib import Path

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

SQL = Path(__file__).resolve().parents[1] / "sql"


def upgrade() -> None:
    statement = (SQL / "0040_knocks_at_closed_households.sql").read_text()
    op.get_bind().connection.dbapi_connection.execute(statement)  # type: ignore[union-attr]


def downgrade() -> None:
    raise RuntimeError("functions are replaced forward only")
