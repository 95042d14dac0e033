"""edits: when fields changed and by whom, conflicts of edits made apart

Revision: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "field_change",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("community_code", "subject_id", "field"),
    )
    op.create_table(
        "edit_conflict",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("command_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("server_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("server_actor_name", sa.String(), nullable=False),
        sa.Column("server_changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("base_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("kept", sa.Text(), nullable=True),
        sa.Column("resolved_by", sa.Uuid(), nullable=True),
        sa.Column("resolved_by_name", sa.String(), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("subject IN ('household', 'resident')", name="ck_edit_conflict_subject_known"),
        sa.CheckConstraint("kept IN ('server', 'phone')", name="ck_edit_conflict_kept_known"),
        sa.ForeignKeyConstraint(
            ["community_code", "household_id"],
            ["household.community_code", "household.id"],
            name="fk_edit_conflict_community_code_household",
        ),
        sa.PrimaryKeyConstraint("community_code", "id"),
    )
    op.create_index(
        "ix_edit_conflict_open", "edit_conflict", ["community_code", "id"], postgresql_where=sa.text("kept IS NULL")
    )
    for table in ("field_change", "edit_conflict"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY scope ON {table} USING (community_code LIKE ANY "
            "(string_to_array(current_setting('app.scope', true), ',')))"
        )
    # both values stay in the record, whichever was chosen
    op.execute("REVOKE DELETE, TRUNCATE ON edit_conflict FROM pioneer_app")


def downgrade() -> None:
    op.drop_table("edit_conflict")
    op.drop_table("field_change")
