"""rounds with questions of their own, drafts, days and targets

Builds on 0024. Recreates `screening_record_door_visits` from 0019 (its newest before this), with: the flag of a faulty
answer, answers recorded beside their visit, and no drafts or daily rounds as a whole. What changes it next begins from
`sql/0025_rounds.sql`.

Revision: 0025
Revises: 0024
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql"
POLICY = (
    "CREATE POLICY scope ON {} USING (coalesce(community_code LIKE ANY "
    "(string_to_array(current_setting('app.scope', true), ',')), false))"
)
WORDS = postgresql.ARRAY(sa.Text())
JSON = postgresql.JSONB()


def upgrade() -> None:
    op.add_column("screening_round", sa.Column("parent_id", sa.Uuid(), nullable=True))
    op.add_column("screening_round", sa.Column("rhythm", sa.Text(), server_default="once", nullable=False))
    op.add_column("screening_round", sa.Column("target", sa.Text(), server_default="all", nullable=False))
    op.add_column("screening_round", sa.Column("tags", WORDS, server_default=sa.text("'{}'"), nullable=False))
    op.add_column("screening_round", sa.Column("revision", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.drop_constraint("ck_screening_round_status_known", "screening_round", type_="check")
    for name, values in (
        ("status", "'draft', 'open', 'closed'"), ("rhythm", "'once', 'daily'"), ("target", "'all', 'tags', 'list'"),
    ):  # fmt: skip
        op.create_check_constraint(f"ck_screening_round_{name}_known", "screening_round", f"{name} IN ({values})")
    op.create_index(
        "ix_screening_round_parent", "screening_round", ["parent_id"],
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )  # fmt: skip
    op.create_table(
        "round_form",
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("standard", WORDS, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("questions", JSON, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_by_name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("round_id", "version"),
    )
    op.create_table(
        "round_template",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("division_prefix", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content", JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("saved_by_name", sa.String(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_round_template_division_prefix"), "round_template", ["division_prefix"], unique=False)
    op.create_table(
        "round_target",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["community_code", "household_id"], ["household.community_code", "household.id"]),
        sa.PrimaryKeyConstraint("community_code", "round_id", "household_id"),
    )
    op.create_index("ix_round_target_round", "round_target", ["round_id", "community_code"])
    op.create_table(
        "door_answer",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("form_version", sa.Integer(), nullable=False),
        sa.Column("answers", JSON, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("texts_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("faults", JSON, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("delete_by", sa.Date(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["community_code", "visit_id"], ["door_visit.community_code", "door_visit.id"]),
        sa.PrimaryKeyConstraint("community_code", "visit_id"),
    )
    op.create_index("ix_door_answer_round", "door_answer", ["round_id", "community_code"])
    op.create_index("ix_door_answer_household", "door_answer", ["community_code", "household_id"])
    op.create_table(
        "answer_tally",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("deleted_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_sum", sa.Float(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("community_code", "round_id", "question_id", "value"),
    )
    for name in ("round_target", "door_answer", "answer_tally"):
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        op.execute(POLICY.format(name))
    op.drop_constraint("ck_deletion_record_kind_known", "deletion_record", type_="check")
    op.create_check_constraint(
        "ck_deletion_record_kind_known",
        "deletion_record",
        "kind IN ('door_visits', 'person_checks', 'care_visits', 'findings', 'follow_up_notes', 'self_reports', "
        "'answers')",
    )
    op.get_bind().connection.dbapi_connection.execute((SQL / "0025_rounds.sql").read_text())  # type: ignore[union-attr]


def downgrade() -> None:
    raise RuntimeError("what was answered would be lost, and functions are replaced forward only")
