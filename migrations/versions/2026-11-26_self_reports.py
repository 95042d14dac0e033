"""self-reports: what a household says of itself by its code, and how often somebody tries

Revision: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

POLICY = (
    "CREATE POLICY scope ON {} USING (coalesce(community_code LIKE ANY "
    "(string_to_array(current_setting('app.scope', true), ',')), false))"
)


def upgrade() -> None:
    op.create_table(
        "self_report",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("persons", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("reported_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("status", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by_name", sa.String(), server_default="", nullable=False),
        sa.Column("delete_by", sa.Date(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "status IN ('waiting', 'confirmed', 'replaced', 'set_aside')", name="ck_self_report_status_known"
        ),
        sa.ForeignKeyConstraint(["community_code", "household_id"], ["household.community_code", "household.id"]),
        sa.PrimaryKeyConstraint("community_code", "id"),
    )
    op.create_index(
        "ix_self_report_waiting", "self_report", ["community_code", "household_id"],
        postgresql_where=sa.text("status = 'waiting'"),
    )  # fmt: skip
    op.execute("ALTER TABLE self_report ENABLE ROW LEVEL SECURITY")
    op.execute(POLICY.format("self_report"))
    op.create_table(
        "code_attempt",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("window_ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.drop_constraint("ck_deletion_record_kind_known", "deletion_record", type_="check")
    op.create_check_constraint(
        "ck_deletion_record_kind_known",
        "deletion_record",
        "kind IN ('door_visits', 'person_checks', 'care_visits', 'findings', 'follow_up_notes', 'self_reports')",
    )


def downgrade() -> None:
    raise RuntimeError("what households reported would be lost")
