"""pushes read once

Recreates `take_commands` from 0023, `screening_record_door_visits` from 0034 and `append_audit` from 0002 (their newest
before this); adds `append_audit_digest`. What changes one of them next begins from `sql/0038_pushes_read_once.sql`.

Revision: 0038
Revises: 0037
"""

from pathlib import Path

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

SQL = Path(__file__).resolve().parents[1] / "sql"


def upgrade() -> None:
    # who has left is counted nowhere, and a lookup of one person can no longer be taken for one of a household: of an
    # empty table both cost the same, and a plan made then reads a household for each person, or a whole round
    op.drop_index("ix_person_check_household", "person_check")
    op.create_index(
        "ix_person_check_household", "person_check", ["community_code", "household_id", "round_id"],
        postgresql_where="NOT has_left",
    )  # fmt: skip
    op.get_bind().connection.dbapi_connection.execute((SQL / "0038_pushes_read_once.sql").read_text())  # type: ignore[union-attr]


def downgrade() -> None:
    raise RuntimeError("functions are replaced forward only")
