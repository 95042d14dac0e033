"""risk areas: a place that is asked about, and the rounds that were made from it

Neither names anybody: both stand above communities, like rounds and their templates.

Revision: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "risk_area",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("division_prefix", sa.String(), nullable=False),
        sa.Column("place_name", sa.String(), nullable=False),
        sa.Column("place_code", sa.String(), server_default="", nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("stale_after_days", sa.Integer(), nullable=False),
        sa.Column("created_by_name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("delete_by", sa.Date(), nullable=False),
        sa.CheckConstraint("to_on >= from_on", name="ck_risk_area_ends_after_start"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "division_prefix", "place_name", "place_code", "from_on", "to_on", name="uq_risk_area_place_and_days"
        ),
    )
    op.create_table(
        "risk_area_round",
        sa.Column("risk_area_id", sa.Uuid(), nullable=False),
        sa.Column("division_prefix", sa.String(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["risk_area_id"], ["risk_area.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("risk_area_id", "division_prefix"),
    )


def downgrade() -> None:
    op.drop_table("risk_area_round")
    op.drop_table("risk_area")
