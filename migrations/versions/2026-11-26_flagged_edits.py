"""a list of the edits that somebody should look at

Revision: 0031
Revises: 0030
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

POLICY = (
    "CREATE POLICY scope ON flagged_edit USING (coalesce(community_code LIKE ANY "
    "(string_to_array(current_setting('app.scope', true), ',')), false))"
)


def upgrade() -> None:
    rule = sa.table(
        "dated_rule", sa.column("key"), sa.column("effective_on"), sa.column("value"), sa.column("unit"),
        sa.column("source"),
    )  # fmt: skip
    op.execute(
        sa.insert(rule).values(
            key="retention.edits", effective_on=sa.text("date '2020-01-01'"), value=180, unit="days",
            source="个人信息保护法第十九条：保存期限应为实现处理目的所必要的最短时间（系统默认）",
        )
    )  # fmt: skip
    op.create_table(
        "flagged_edit",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=True),
        sa.Column("command", sa.String(), nullable=False),
        sa.Column("fields", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("flag_code", sa.String(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock_error_s", sa.Integer(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("judged_by", sa.Uuid(), nullable=True),
        sa.Column("judged_by_name", sa.String(), server_default="", nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delete_by", sa.Date(), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("verdict IN ('confirmed', 'set_aside')", name="ck_flagged_edit_verdict_known"),
        sa.ForeignKeyConstraint(["community_code", "household_id"], ["household.community_code", "household.id"]),
        sa.PrimaryKeyConstraint("community_code", "id"),
    )
    op.create_index(
        "ix_flagged_edit_open", "flagged_edit", ["community_code", "id"],
        postgresql_where=sa.text("flag_code IS NOT NULL AND verdict IS NULL"),
    )  # fmt: skip
    op.create_index("ix_flagged_edit_household", "flagged_edit", ["community_code", "household_id"])
    op.execute("ALTER TABLE flagged_edit ENABLE ROW LEVEL SECURITY")
    op.execute(POLICY)
    op.drop_constraint("ck_deletion_record_kind_known", "deletion_record", type_="check")
    op.create_check_constraint(
        "ck_deletion_record_kind_known",
        "deletion_record",
        "kind IN ('door_visits', 'person_checks', 'care_visits', 'findings', 'follow_up_notes', 'self_reports', "
        "'answers', 'photos', 'flagged_edits')",
    )


def downgrade() -> None:
    raise RuntimeError("edits that wait for somebody would be lost")
