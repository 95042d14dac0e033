"""people over time: stays and registrations, transfers between communities, tenures

No row is written for the people who are there already: a stay without a row began before anybody wrote it down.

Revision: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "transfer",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("from_community", sa.CHAR(length=12), nullable=False),
        sa.Column("from_resident_id", sa.Uuid(), nullable=False),
        sa.Column("person_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("left_on", sa.Date(), nullable=False),
        sa.Column("place_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("is_registration_kept", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("status", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=True),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("sent_by", sa.Uuid(), nullable=True),
        sa.Column("sent_by_name", sa.String(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by_name", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "status IN ('waiting', 'accepted', 'declined', 'withdrawn')", name="ck_transfer_status_known"
        ),
        sa.PrimaryKeyConstraint("community_code", "id"),
    )
    op.create_index("ix_transfer_from", "transfer", ["from_community", "from_resident_id"], unique=False)
    op.create_index(
        "ix_transfer_waiting",
        "transfer",
        ["community_code", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_table(
        "tenure",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("landlord_name", sa.String(), nullable=False),
        sa.Column("landlord_phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("started_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("recorded_by_name", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("kind IN ('owner', 'tenant', 'guest', 'employer')", name="ck_tenure_kind_known"),
        sa.CheckConstraint("ended_on >= started_on", name="ck_tenure_ends_after_start"),
        sa.ForeignKeyConstraint(
            ["community_code", "household_id"],
            ["household.community_code", "household.id"],
            name="fk_tenure_community_code_household",
        ),
        sa.PrimaryKeyConstraint("community_code", "id"),
    )
    op.create_index("ix_tenure_household", "tenure", ["community_code", "household_id"], unique=False)
    op.create_index(
        "uq_tenure_current",
        "tenure",
        ["community_code", "household_id"],
        unique=True,
        postgresql_where=sa.text("ended_on IS NULL"),
    )
    op.create_table(
        "residence",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("reason_in", sa.Text(), nullable=True),
        sa.Column("reason_out", sa.Text(), nullable=True),
        sa.Column("from_community", sa.CHAR(length=12), nullable=True),
        sa.Column("from_resident_id", sa.Uuid(), nullable=True),
        sa.Column("from_place_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("to_community", sa.CHAR(length=12), nullable=True),
        sa.Column("to_resident_id", sa.Uuid(), nullable=True),
        sa.Column("to_place_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("transfer_id", sa.Uuid(), nullable=True),
        sa.Column("transfer_status", sa.Text(), nullable=True),
        sa.Column("started_by_name", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("ended_by_name", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('lives_here', 'registered_here', 'registered_elsewhere')", name="ck_residence_kind_known"
        ),
        sa.CheckConstraint(
            "reason_in IN ('moved_in', 'born', 'returned', 'found', 'split', 'merged')",
            name="ck_residence_reason_in_known",
        ),
        sa.CheckConstraint(
            "reason_out IN ('moved', 'moved_away', 'died', 'not_living_here', 'split', 'merged')",
            name="ck_residence_reason_out_known",
        ),
        sa.CheckConstraint(
            "transfer_status IN ('waiting', 'accepted', 'declined', 'withdrawn')",
            name="ck_residence_transfer_status_known",
        ),
        sa.CheckConstraint("ended_on >= started_on", name="ck_residence_ends_after_start"),
        sa.ForeignKeyConstraint(
            ["community_code", "household_id"],
            ["household.community_code", "household.id"],
            name="fk_residence_community_code_household",
        ),
        sa.ForeignKeyConstraint(
            ["community_code", "resident_id"],
            ["resident.community_code", "resident.id"],
            name="fk_residence_community_code_resident",
        ),
        sa.PrimaryKeyConstraint("community_code", "id"),
    )
    op.create_index("ix_residence_household", "residence", ["community_code", "household_id"], unique=False)
    op.create_index("ix_residence_resident", "residence", ["community_code", "resident_id"], unique=False)
    op.create_index(
        "uq_residence_lives_here",
        "residence",
        ["community_code", "resident_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'lives_here' AND ended_on IS NULL"),
    )
    op.create_index(
        "uq_residence_registered",
        "residence",
        ["community_code", "resident_id"],
        unique=True,
        postgresql_where=sa.text("kind <> 'lives_here' AND ended_on IS NULL"),
    )
    op.add_column("person_check", sa.Column("has_left", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    for table in ("residence", "transfer", "tenure"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY scope ON {table} USING (community_code LIKE ANY "
            "(string_to_array(current_setting('app.scope', true), ',')))"
        )


def downgrade() -> None:
    op.drop_column("person_check", "has_left")
    op.drop_table("residence")
    op.drop_table("tenure")
    op.drop_table("transfer")
