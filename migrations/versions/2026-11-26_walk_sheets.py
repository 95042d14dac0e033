"""walk sheets, and who typed what stands on them

Revision: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

POLICY = (
    "CREATE POLICY scope ON {} USING (coalesce(community_code LIKE ANY "
    "(string_to_array(current_setting('app.scope', true), ',')), false))"
)


def upgrade() -> None:
    op.create_table(
        "walk_sheet",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("area_id", sa.Uuid(), nullable=False),
        sa.Column("area_name", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("household_ids", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("walker_id", sa.Uuid(), nullable=False),
        sa.Column("walker_name", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_by_name", sa.String(), nullable=False),
        sa.Column("printed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("community_code", "id"),
    )
    op.create_index("ix_walk_sheet_code", "walk_sheet", ["community_code", "code"])
    op.create_table(
        "paper_entry",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("walk_sheet_id", sa.Uuid(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.Column("entered_by_name", sa.String(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("community_code", "visit_id"),
    )
    op.create_index("ix_paper_entry_sheet", "paper_entry", ["community_code", "walk_sheet_id"])
    for table in ("walk_sheet", "paper_entry"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(POLICY.format(table))


def downgrade() -> None:
    op.drop_table("paper_entry")
    op.drop_table("walk_sheet")
