"""the door: follow-ups, second askings, who asked last, the parts of the day in which nobody opened

Revision: 0014
Revises: 0013
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


SQL = Path(__file__).resolve().parents[1] / "sql"
PLAN = "《新型冠状病毒感染的肺炎防控方案（第二版）》（国卫办疾控函〔2020〕75号）；系统默认"
POLICY = (
    "CREATE POLICY scope ON {} USING (community_code LIKE ANY "
    "(string_to_array(current_setting('app.scope', true), ',')))"
)


def upgrade() -> None:
    rule = sa.table(
        "dated_rule", sa.column("key"), sa.column("effective_on"), sa.column("value"), sa.column("unit"),
        sa.column("source"),
    )  # fmt: skip
    figures = (
        ("finding.temperature_c", 37.3, "celsius"),
        ("finding.symptoms", 1, "switch"),
        ("finding.contact", 1, "switch"),
    )
    op.execute(
        sa.insert(rule).values(
            [
                {"key": key, "effective_on": sa.text("date '2020-01-01'"), "value": value, "unit": unit, "source": PLAN}
                for key, value, unit in figures
            ]
        )
    )
    op.create_table(
        "follow_up",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_void", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("owner_name", sa.String(), server_default="", nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_by_name", sa.String(), server_default="", nullable=False),
        sa.Column("delete_by", sa.Date(), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('taken_to_clinic', 'observed_at_home', 'ruled_out', 'handed_over', 'recorded_by_mistake')",
            name="ck_follow_up_outcome_known",
        ),
        sa.ForeignKeyConstraint(["community_code", "household_id"], ["household.community_code", "household.id"]),
        sa.PrimaryKeyConstraint("community_code", "id"),
    )
    op.create_index(
        "uq_follow_up_standing", "follow_up", ["community_code", "resident_id"], unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )  # fmt: skip
    op.create_index("ix_follow_up_resident", "follow_up", ["community_code", "resident_id", "closed_at"])
    op.create_index(
        "ix_follow_up_open", "follow_up", ["community_code", "id"],
        postgresql_where=sa.text("closed_at IS NULL AND NOT is_void"),
    )  # fmt: skip
    op.create_table(
        "finding",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("follow_up_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("found_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reasons", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("temperature_c", sa.Float(), nullable=True),
        sa.Column("symptoms", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("risk_area", sa.Boolean(), nullable=True),
        sa.Column("delete_by", sa.Date(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("source IN ('door', 'self_report')", name="ck_finding_source_known"),
        sa.ForeignKeyConstraint(["community_code", "follow_up_id"], ["follow_up.community_code", "follow_up.id"]),
        sa.PrimaryKeyConstraint("community_code", "source_id", "resident_id"),
    )
    op.create_index("ix_finding_follow_up", "finding", ["community_code", "follow_up_id"])
    for table in ("follow_up", "finding"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(POLICY.format(table))
    op.drop_constraint("ck_deletion_record_kind_known", "deletion_record", type_="check")
    op.create_check_constraint(
        "ck_deletion_record_kind_known",
        "deletion_record",
        "kind IN ('door_visits', 'person_checks', 'care_visits', 'findings', 'follow_up_notes')",
    )
    op.add_column("door_visit", sa.Column("again_reason", sa.Text(), nullable=True))
    op.add_column("door_visit", sa.Column("self_report_id", sa.Uuid(), nullable=True))
    op.create_check_constraint(
        "ck_door_visit_again_reason_known",
        "door_visit",
        "again_reason IN ('changed', 'correction', 'completing', 'ordered', 'requested', 'self_report')",
    )
    for name, kind, extra in (
        ("missed_parts", sa.SmallInteger(), {"server_default": sa.text("0"), "nullable": False}),
        ("asked_at", sa.DateTime(timezone=True), {"nullable": True}),
        ("asked_by", sa.String(), {"server_default": "", "nullable": False}),
    ):
        op.add_column("household_screening", sa.Column(name, kind, **extra))
    op.get_bind().connection.dbapi_connection.execute((SQL / "0014_door.sql").read_text())  # type: ignore[union-attr]
    # what stands already says the same as what comes
    op.execute("""
        UPDATE household_screening s SET missed_parts = f.missed_parts, asked_at = f.asked_at,
            asked_by = coalesce(f.asked_by, '')
        FROM (
            SELECT community_code, round_id, household_id,
                coalesce(bit_or(1 << day_part(recorded_at)) FILTER (WHERE outcome = 'no_answer'), 0) AS missed_parts,
                max(recorded_at) FILTER (WHERE outcome IN ('answered_all', 'answered_part')) AS asked_at,
                (array_agg(actor_name ORDER BY recorded_at DESC, id DESC) FILTER (WHERE outcome IN ('answered_all', 'answered_part')))[1]
                    AS asked_by
            FROM door_visit WHERE verdict IS DISTINCT FROM 'set_aside'
            GROUP BY 1, 2, 3
        ) f
        WHERE s.community_code = f.community_code AND s.round_id = f.round_id AND s.household_id = f.household_id
    """)


def downgrade() -> None:
    raise RuntimeError("functions are replaced forward only, and follow-ups would be lost")
