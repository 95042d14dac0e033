"""answers follow people: in open rounds they count where the person lives now

Revision: 0019
Revises: 0018
"""

from pathlib import Path

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    op.get_bind().connection.dbapi_connection.execute((SQL / "0019_people_over_time.sql").read_text())  # type: ignore[union-attr]


def downgrade() -> None:
    raise RuntimeError("functions are replaced forward only: those before know nobody who has moved")
