"""retention: dated rules, deletion records, checks whose health is deleted

Revision: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LAW = "《中华人民共和国个人信息保护法》第十九条（系统默认期限）"


def upgrade() -> None:
    rule = op.create_table(
        "dated_rule",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("key", "effective_on"),
    )
    op.execute(
        sa.insert(rule).values(
            [
                {
                    "key": "retention.screening",
                    "effective_on": sa.text("date '2020-01-01'"),
                    "value": 90,
                    "unit": "days",
                    "source": LAW,
                },
                {
                    "key": "retention.care",
                    "effective_on": sa.text("date '2020-01-01'"),
                    "value": 365,
                    "unit": "days",
                    "source": LAW,
                },
            ]
        )
    )
    op.create_table(
        "deletion_record",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("upto", sa.Date(), nullable=False),
        sa.Column("deleted_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rule_key", sa.String(), nullable=False),
        sa.Column("rule_effective_on", sa.Date(), nullable=False),
        sa.Column("rule_days", sa.Integer(), nullable=False),
        sa.Column("rule_source", sa.String(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('door_visits', 'person_checks', 'care_visits')", name="ck_deletion_record_kind_known"
        ),
        sa.PrimaryKeyConstraint("community_code", "id"),
        sa.UniqueConstraint("community_code", "kind", "upto", name="uq_deletion_record_kind_upto"),
    )
    op.create_index("ix_deletion_record_upto", "deletion_record", ["community_code", "upto"])
    op.execute("ALTER TABLE deletion_record ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY scope ON deletion_record USING (community_code LIKE ANY "
        "(string_to_array(current_setting('app.scope', true), ',')))"
    )
    # what was deleted and by which rule is written once; only the count of a day's run grows
    op.execute("REVOKE DELETE, TRUNCATE ON deletion_record FROM pioneer_app")
    op.drop_constraint("ck_person_check_status_known", "person_check", type_="check")
    op.create_check_constraint(
        "ck_person_check_status_known", "person_check", "status IN ('well', 'symptoms', 'away', 'answered')"
    )
    op.add_column(
        "screening_tally",
        sa.Column("persons_symptoms_deleted", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )


def downgrade() -> None:
    raise RuntimeError("health data that was deleted does not come back, and earlier tables cannot say that it was")
