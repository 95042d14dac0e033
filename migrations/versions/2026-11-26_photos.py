"""photos taken at doors, sealed, with an end

Revision: 0026
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

POLICY = (
    "CREATE POLICY scope ON visit_photo USING (coalesce(community_code LIKE ANY "
    "(string_to_array(current_setting('app.scope', true), ',')), false))"
)


def upgrade() -> None:
    rule = sa.table(
        "dated_rule", sa.column("key"), sa.column("effective_on"), sa.column("value"), sa.column("unit"),
        sa.column("source"),
    )  # fmt: skip
    op.execute(
        sa.insert(rule).values(
            key="retention.photos", effective_on=sa.text("date '2020-01-01'"), value=30, unit="days",
            source="个人信息保护法第十九条：保存期限应为实现处理目的所必要的最短时间（系统默认）",
        )
    )  # fmt: skip
    op.create_table(
        "visit_photo",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("byte_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("delete_by", sa.Date(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["community_code", "household_id"], ["household.community_code", "household.id"]),
        sa.PrimaryKeyConstraint("community_code", "id"),
    )
    op.create_index("ix_visit_photo_household", "visit_photo", ["community_code", "household_id"])
    # what is sealed does not compress, and under which key it is is read off its first bytes
    op.execute("ALTER TABLE visit_photo ALTER COLUMN content_sealed SET STORAGE EXTERNAL")
    op.execute("ALTER TABLE visit_photo ENABLE ROW LEVEL SECURITY")
    op.execute(POLICY)
    op.drop_constraint("ck_deletion_record_kind_known", "deletion_record", type_="check")
    op.create_check_constraint(
        "ck_deletion_record_kind_known",
        "deletion_record",
        "kind IN ('door_visits', 'person_checks', 'care_visits', 'findings', 'follow_up_notes', 'self_reports', "
        "'answers', 'photos')",
    )


def downgrade() -> None:
    raise RuntimeError("photos would be lost")
