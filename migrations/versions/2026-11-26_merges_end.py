"""what merges keep to be undone ends

Revision: 0035
Revises: 0034
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    rule = sa.table(
        "dated_rule", sa.column("key"), sa.column("effective_on"), sa.column("value"), sa.column("unit"),
        sa.column("source"),
    )  # fmt: skip
    op.execute(
        sa.insert(rule).values(
            key="retention.merges", effective_on=sa.text("date '2020-01-01'"), value=180, unit="days",
            source="个人信息保护法第十九条：保存期限应为实现处理目的所必要的最短时间（系统默认）",
        )
    )  # fmt: skip
    op.add_column("registry_merge", sa.Column("delete_by", sa.Date(), nullable=True))
    # merged before there was an end: from today, so that nobody finds it over who had been told nothing
    op.execute("UPDATE registry_merge SET delete_by = (now() AT TIME ZONE 'Asia/Shanghai')::date + 180")
    op.alter_column("registry_merge", "delete_by", existing_type=sa.Date(), nullable=False)
    op.execute("GRANT DELETE ON merged_row TO pioneer_app")
    op.drop_constraint("ck_deletion_record_kind_known", "deletion_record", type_="check")
    op.create_check_constraint(
        "ck_deletion_record_kind_known",
        "deletion_record",
        "kind IN ('door_visits', 'person_checks', 'care_visits', 'findings', 'follow_up_notes', 'self_reports', "
        "'answers', 'photos', 'flagged_edits', 'edit_conflicts', 'merges')",
    )


def downgrade() -> None:
    raise RuntimeError("what has ended cannot be brought back")
