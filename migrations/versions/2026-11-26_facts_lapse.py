"""tags, notes and what is known of who has left end

Revision: 0036
Revises: 0035
"""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    rule = sa.table(
        "dated_rule", sa.column("key"), sa.column("effective_on"), sa.column("value"), sa.column("unit"),
        sa.column("source"),
    )  # fmt: skip
    for key, days in (("retention.tags", 365), ("retention.notes", 365), ("retention.departed", 730)):
        op.execute(
            sa.insert(rule).values(
                key=key, effective_on=sa.text("date '2020-01-01'"), value=days, unit="days",
                source="个人信息保护法第十九条：保存期限应为实现处理目的所必要的最短时间（系统默认）",
            )
        )  # fmt: skip
    for fact in ("tags", "note"):
        op.add_column("household", sa.Column(f"{fact}_said_on", sa.Date(), nullable=True))
    # said before anything was known to lapse: from today, so that nothing is gone before anybody has read that it will
    for fact, is_said in (("tags", "tags <> '{}'"), ("note", "note_sealed IS NOT NULL")):
        op.execute(f"UPDATE household SET {fact}_said_on = (now() AT TIME ZONE 'Asia/Shanghai')::date WHERE {is_said}")
    op.drop_constraint("ck_deletion_record_kind_known", "deletion_record", type_="check")
    op.create_check_constraint(
        "ck_deletion_record_kind_known",
        "deletion_record",
        "kind IN ('door_visits', 'person_checks', 'care_visits', 'findings', 'follow_up_notes', 'self_reports', "
        "'answers', 'photos', 'flagged_edits', 'edit_conflicts', 'merges', 'tags', "
        "'notes', 'departed')",
    )


def downgrade() -> None:
    raise RuntimeError("what has ended cannot be brought back")
