"""hot writes together

Revision: 0005
Revises: 0004
"""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


SQL = Path(__file__).resolve().parents[1] / "sql"


def upgrade() -> None:
    op.get_bind().connection.dbapi_connection.execute((SQL / "0005_hot_writes_together.sql").read_text())  # type: ignore[union-attr]


def downgrade() -> None:
    raise RuntimeError("functions are replaced forward only: the tables are the same")
