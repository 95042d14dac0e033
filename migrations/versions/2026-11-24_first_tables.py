"""first tables

Revision: 0001
Revises:
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


SQL = Path(__file__).resolve().parents[1] / "sql"


def run_sql(text: str) -> None:
    """Run a script of many statements as it stands: no parameters, so percent signs and colons are text."""
    op.get_bind().connection.dbapi_connection.execute(text)  # type: ignore[union-attr]


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("must_change_password", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("session_epoch", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('person', 'client')", name="ck_account_kind_known"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("login"),
        sa.UniqueConstraint("phone_index"),
    )
    op.create_table(
        "audit_chain",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("community_code"),
    )
    op.create_table(
        "audit_entry",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.String(), nullable=True),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column(
            "subjects",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("community_code", "seq"),
    )
    op.create_table(
        "care_plan",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("last_visit_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=True),
        sa.Column("condition", sa.String(), nullable=False),
        sa.Column("needs", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_on", sa.Date(), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("community_code", "household_id"),
    )
    op.create_table(
        "community_clock",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("dwelling_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("vacant_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("household_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("resident_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("unassigned_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("changed_xid", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("community_code"),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_index(
        "ix_community_clock_pattern",
        "community_clock",
        ["community_code"],
        unique=False,
        postgresql_ops={"community_code": "bpchar_pattern_ops"},
    )
    op.create_table(
        "confirmed_day",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("confirmed_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("community_code", "account_id", "day"),
    )
    op.create_table(
        "division",
        sa.Column("code", sa.CHAR(length=12), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("parent_code", sa.CHAR(length=12), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("successor_code", sa.CHAR(length=12), nullable=True),
        sa.CheckConstraint("level IN ('city', 'district', 'town', 'community')", name="ck_division_level_known"),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_index(
        "ix_division_code_pattern",
        "division",
        ["code"],
        unique=False,
        postgresql_ops={"code": "bpchar_pattern_ops"},
    )
    op.create_index("ix_division_parent_code", "division", ["parent_code", "code"], unique=False)
    op.create_table(
        "dwelling",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("compound", sa.String(), nullable=False),
        sa.Column("building", sa.String(), nullable=False),
        sa.Column("stair", sa.String(), nullable=False),
        sa.Column("floor", sa.Integer(), nullable=True),
        sa.Column("room", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("address_key", sa.String(), nullable=False),
        sa.Column("sort_key", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("is_vacant", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("responsibility_area_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("community_code", "id"),
        sa.UniqueConstraint("community_code", "address_key"),
    )
    op.create_index("ix_dwelling_area", "dwelling", ["community_code", "responsibility_area_id"], unique=False)
    op.create_table(
        "expected_headcount",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("households", sa.Integer(), nullable=True),
        sa.Column("residents", sa.Integer(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("is_newest", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("households >= 0 AND residents >= 0", name="ck_expected_headcount_counts_not_negative"),
        sa.PrimaryKeyConstraint("community_code", "id"),
        sa.UniqueConstraint("community_code", "as_of", "source"),
    )
    op.create_index(
        "ix_expected_headcount_newest",
        "expected_headcount",
        ["community_code"],
        unique=False,
        postgresql_ops={"community_code": "bpchar_pattern_ops"},
        postgresql_where=sa.text("is_newest"),
    )
    op.create_table(
        "household_screening",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_visit_id", sa.Uuid(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_by", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('answered_all', 'answered_part', 'no_answer', 'refused', 'vacant', 'wrong_address', 'unsafe')",
            name="ck_household_screening_outcome_known",
        ),
        sa.PrimaryKeyConstraint("community_code", "round_id", "household_id"),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_table(
        "import_job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.Text(), server_default="queued", nullable=False),
        sa.Column("is_dry_run", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("community_code", sa.CHAR(length=12), nullable=True),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("mapping", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("progress_done", sa.Integer(), nullable=False),
        sa.Column("progress_total", sa.Integer(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("sheets", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("preview_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("error_zh", sa.String(), nullable=True),
        sa.Column("error_en", sa.String(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_by_name", sa.String(), nullable=False),
        sa.Column("run_by", sa.Uuid(), nullable=False),
        sa.Column("run_by_name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('roster', 'divisions')", name="ck_import_job_kind_known"),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'previewed', 'done', 'failed')",
            name="ck_import_job_status_known",
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_import_job_community_code"), "import_job", ["community_code"], unique=False)
    op.create_table(
        "person_check",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("temperature_c", sa.Float(), nullable=True),
        sa.Column("symptoms", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("risk_area", sa.Boolean(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delete_by", sa.Date(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("status IN ('well', 'symptoms', 'away')", name="ck_person_check_status_known"),
        sa.PrimaryKeyConstraint("community_code", "round_id", "resident_id"),
    )
    op.create_index(
        "ix_person_check_household",
        "person_check",
        ["community_code", "household_id", "round_id"],
        unique=False,
    )
    op.create_table(
        "post",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("is_demonstration", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("duty", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wanted_count", sa.Integer(), nullable=False),
        sa.Column("claimed_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("is_published", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('checkpoint', 'screening', 'monitoring', 'care', 'publicity', 'disinfection', 'supplies', 'watch', 'other')",
            name="ck_post_kind_known",
        ),
        sa.CheckConstraint("claimed_count BETWEEN 0 AND wanted_count", name="ck_post_claimed_within_wanted"),
        sa.CheckConstraint("ends_at > starts_at", name="ck_post_ends_after_start"),
        sa.PrimaryKeyConstraint("community_code", "id"),
    )
    op.create_index("ix_post_id", "post", ["id"], unique=False)
    op.create_index("ix_post_starts_at", "post", ["community_code", "starts_at"], unique=False)
    op.create_table(
        "responsibility_area",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("is_open", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_removed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=True),
        sa.Column("holder_name", sa.String(), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("epoch", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("dwelling_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("household_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("recut_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("community_code", "id"),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index("ix_responsibility_area_holder", "responsibility_area", ["holder_id"], unique=False)
    op.create_index("ix_responsibility_area_id", "responsibility_area", ["id"], unique=False)
    op.create_table(
        "screening_round",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("division_prefix", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('open', 'closed')", name="ck_screening_round_status_known"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_screening_round_division_prefix"), "screening_round", ["division_prefix"], unique=False)
    op.create_table(
        "screening_tally",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("answered_all", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("answered_part", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("no_answer", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("refused", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("vacant", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("wrong_address", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("unsafe", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("persons_done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("persons_symptoms", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("visit_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("community_code", "round_id"),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_index("ix_screening_tally_round", "screening_tally", ["round_id", "community_code"], unique=False)
    op.create_table(
        "sign_in_attempt",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("window_ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_table(
        "sync_command",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("detail", sa.String(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status IN ('accepted', 'flagged', 'rejected')", name="ck_sync_command_status_known"),
        sa.PrimaryKeyConstraint("community_code", "id"),
    )
    op.create_table(
        "assignment",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("by_account_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("how IN ('assigned', 'claimed')", name="ck_assignment_how_known"),
        sa.ForeignKeyConstraint(
            ["community_code", "area_id"],
            ["responsibility_area.community_code", "responsibility_area.id"],
        ),
        sa.PrimaryKeyConstraint("community_code", "id"),
    )
    op.create_index("ix_assignment_area", "assignment", ["community_code", "area_id", "epoch"], unique=False)
    op.create_table(
        "device",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_contact_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("oldest_unsent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "id"),
    )
    op.create_table(
        "household",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dwelling_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="family", nullable=False),
        sa.Column("head_name", sa.String(), nullable=False),
        sa.Column("head_initials", sa.String(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("resident_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("is_closed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('family', 'collective')", name="ck_household_kind_known"),
        sa.ForeignKeyConstraint(
            ["community_code", "dwelling_id"],
            ["dwelling.community_code", "dwelling.id"],
        ),
        sa.PrimaryKeyConstraint("community_code", "id"),
    )
    op.create_index("ix_household_dwelling", "household", ["community_code", "dwelling_id"], unique=False)
    op.create_index("ix_household_id", "household", ["id"], unique=False)
    op.create_table(
        "import_file",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["import_job.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("import_id"),
    )
    op.create_table(
        "import_problem",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("sheet", sa.String(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("column", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("message_zh", sa.String(), nullable=False),
        sa.Column("message_en", sa.String(), nullable=False),
        sa.CheckConstraint("severity IN ('error', 'warning')", name="ck_import_problem_severity_known"),
        sa.ForeignKeyConstraint(["import_id"], ["import_job.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("import_id", "seq"),
    )
    op.create_table(
        "invitation",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("code_hash"),
    )
    op.create_index(op.f("ix_invitation_account_id"), "invitation", ["account_id"], unique=False)
    op.create_table(
        "post_claim",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("account_name", sa.String(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["community_code", "post_id"],
            ["post.community_code", "post.id"],
        ),
        sa.PrimaryKeyConstraint("community_code", "id"),
    )
    op.create_index("ix_post_claim_account", "post_claim", ["account_id"], unique=False)
    op.create_index(
        "uq_post_claim_standing",
        "post_claim",
        ["community_code", "post_id", "account_id"],
        unique=True,
        postgresql_where=sa.text("released_at IS NULL"),
    )
    op.create_table(
        "refresh_token",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index(op.f("ix_refresh_token_account_id"), "refresh_token", ["account_id"], unique=False)
    op.create_table(
        "role_grant",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("division_prefix", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "role IN ('city', 'district', 'street', 'committee', 'grid_worker', 'party_member', 'viewer', 'api_client')",
            name="ck_role_grant_role_known",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "role", "division_prefix"),
    )
    op.create_index(
        "ix_role_grant_prefix",
        "role_grant",
        ["division_prefix"],
        unique=False,
        postgresql_ops={"division_prefix": "text_pattern_ops"},
    )
    op.create_table(
        "care_visit",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=True),
        sa.Column("condition", sa.String(), nullable=False),
        sa.Column("needs", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("next_on", sa.Date(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("flag_code", sa.String(), nullable=True),
        sa.Column("delete_by", sa.Date(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "condition IN ('well', 'needs_attention', 'not_reached')", name="ck_care_visit_condition_known"
        ),
        sa.ForeignKeyConstraint(
            ["community_code", "household_id"],
            ["household.community_code", "household.id"],
        ),
        sa.PrimaryKeyConstraint("community_code", "id"),
    )
    op.create_index(
        "ix_care_visit_household",
        "care_visit",
        ["community_code", "household_id", "recorded_at"],
        unique=False,
    )
    op.create_table(
        "door_visit",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("responsibility_area_id", sa.Uuid(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("persons", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("flag_code", sa.String(), nullable=True),
        sa.Column("delete_by", sa.Date(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('answered_all', 'answered_part', 'no_answer', 'refused', 'vacant', 'wrong_address', 'unsafe')",
            name="ck_door_visit_outcome_known",
        ),
        sa.ForeignKeyConstraint(
            ["community_code", "household_id"],
            ["household.community_code", "household.id"],
        ),
        sa.PrimaryKeyConstraint("community_code", "id"),
    )
    op.create_index(
        "ix_door_visit_household",
        "door_visit",
        ["community_code", "household_id", "recorded_at"],
        unique=False,
    )
    op.create_table(
        "resident",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_initials", sa.String(), nullable=False),
        sa.Column("sex", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("birth_on", sa.Date(), nullable=True),
        sa.Column("relation", sa.String(), nullable=False),
        sa.Column("workplace", sa.String(), nullable=False),
        sa.Column("id_kind", sa.Text(), server_default="none", nullable=False),
        sa.Column("id_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id_index", sa.LargeBinary(), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("needs_id_check", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_gone", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "id_kind IN ('resident_id', 'hk_macau_permit', 'taiwan_permit', 'passport', 'foreigner_permit', 'other', 'none')",
            name="ck_resident_id_kind_known",
        ),
        sa.CheckConstraint("sex IN ('0', '1', '2', '9')", name="ck_resident_sex_known"),
        sa.ForeignKeyConstraint(
            ["community_code", "household_id"],
            ["household.community_code", "household.id"],
        ),
        sa.PrimaryKeyConstraint("community_code", "id"),
    )
    op.create_index("ix_resident_household", "resident", ["community_code", "household_id"], unique=False)
    op.create_index("ix_resident_id", "resident", ["id"], unique=False)
    op.create_index("ix_resident_id_index", "resident", ["community_code", "id_index"], unique=False)
    run_sql(SchemaManager.get_schema())
    for name in ("0001_functions.sql", "0001_security.sql"):
        run_sql((SQL / name).read_text())


def downgrade() -> None:
    raise RuntimeError("the first migration is undone by dropping the database")
