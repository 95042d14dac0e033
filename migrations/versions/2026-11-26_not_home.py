"""the not-home loop: door notices and the codes that stand on them

Revision: 0015
Revises: 0014
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


SQL = Path(__file__).resolve().parents[1] / "sql"
POLICY = (
    "CREATE POLICY scope ON {} USING (community_code LIKE ANY "
    "(string_to_array(current_setting('app.scope', true), ',')))"
)


def upgrade() -> None:
    rule = sa.table(
        "dated_rule", sa.column("key"), sa.column("effective_on"), sa.column("value"), sa.column("unit"),
        sa.column("source"),
    )  # fmt: skip
    figures = (("not_home.misses", 3, "times"), ("not_home.day_parts", 2, "parts_of_day"))
    op.execute(
        sa.insert(rule).values(
            [
                {
                    "key": key, "effective_on": sa.text("date '2020-01-01'"), "value": value, "unit": unit,
                    "source": "社区入户排查工作惯例（系统默认）",
                }
                for key, value, unit in figures
            ]
        )
    )  # fmt: skip
    op.create_table(
        "door_notice",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("printed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("printed_by_name", sa.String(), server_default="", nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_by_name", sa.String(), server_default="", nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["community_code", "household_id"], ["household.community_code", "household.id"]),
        sa.PrimaryKeyConstraint("community_code", "round_id", "household_id"),
    )
    op.create_index(
        "ix_door_notice_open", "door_notice", ["community_code", "household_id"],
        postgresql_where=sa.text("closed_at IS NULL"),
    )  # fmt: skip
    op.create_table(
        "household_code",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("token_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("token_index", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["community_code", "household_id"], ["household.community_code", "household.id"]),
        sa.PrimaryKeyConstraint("community_code", "id"),
    )
    op.create_index(
        "uq_household_code_standing", "household_code", ["community_code", "household_id"], unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )  # fmt: skip
    op.create_index("ix_household_code_token", "household_code", ["community_code", "token_index"])
    for table in ("door_notice", "household_code"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(POLICY.format(table))
    op.get_bind().connection.dbapi_connection.execute((SQL / "0015_not_home.sql").read_text())  # type: ignore[union-attr]


def downgrade() -> None:
    raise RuntimeError("functions are replaced forward only, and codes that hang on doors would be lost")
