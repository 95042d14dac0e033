"""wrong clocks

What a phone says of its own clock: by how much it is wrong, for the desk, and by how much it was known to be wrong when
a record was made. `recorded_at` is then free of it; `recorded_at` plus `clock_error_s` is what its clock showed.

Revision: 0023
Revises: 0022
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

SQL = Path(__file__).resolve().parents[1] / "sql"


def upgrade() -> None:
    op.add_column("device", sa.Column("clock_error_s", sa.Integer(), nullable=True))
    op.add_column("sync_command", sa.Column("clock_error_s", sa.Integer(), nullable=True))
    op.get_bind().connection.dbapi_connection.execute((SQL / "0023_wrong_clocks.sql").read_text())  # type: ignore[union-attr]


def downgrade() -> None:
    raise RuntimeError("functions are replaced forward only")
