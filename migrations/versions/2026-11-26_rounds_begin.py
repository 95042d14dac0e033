"""rounds begin

A visit that was recorded before the first day of its round is flagged, `round_not_begun`. Recreates
`screening_record_door_visits` from 0025 (its newest before this). What changes it next begins from
`sql/0030_rounds_begin.sql`.

Revision: 0030
Revises: 0029
"""

from pathlib import Path

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

SQL = Path(__file__).resolve().parents[1] / "sql"


def upgrade() -> None:
    op.get_bind().connection.dbapi_connection.execute((SQL / "0030_rounds_begin.sql").read_text())  # type: ignore[union-attr]


def downgrade() -> None:
    raise RuntimeError("functions are replaced forward only")
