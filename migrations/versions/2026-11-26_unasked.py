"""unasked

A visit that names no version of its round's questions, where some are required, is flagged, `answer_missing`. Adds
`visits_held_to_forms` and recreates `screening_record_door_visits` from 0030 (its newest before this). What changes it
next begins from `sql/0034_unasked.sql`.

Revision: 0034
Revises: 0033
"""

from pathlib import Path

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

SQL = Path(__file__).resolve().parents[1] / "sql"


def upgrade() -> None:
    op.get_bind().connection.dbapi_connection.execute((SQL / "0034_unasked.sql").read_text())  # type: ignore[union-attr]


def downgrade() -> None:
    raise RuntimeError("functions are replaced forward only")
