"""codes change: the history of codes; no clock for a code that has ended

Revision: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

CLOCK = """
CREATE OR REPLACE FUNCTION advance_clock(
    p_community char(12), p_dwellings int DEFAULT 0, p_vacant int DEFAULT 0, p_households int DEFAULT 0,
    p_residents int DEFAULT 0, p_unassigned int DEFAULT 0
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v bigint;
    v_carried_at timestamptz;
BEGIN
    LOOP
        UPDATE community_clock SET
            version = version + 1,
            dwelling_count = dwelling_count + p_dwellings,
            vacant_count = vacant_count + p_vacant,
            household_count = household_count + p_households,
            resident_count = resident_count + p_residents,
            unassigned_count = unassigned_count + p_unassigned,
            changed_xid = pg_current_xact_id()::text::bigint,
            changed_at = now()
        WHERE community_code = p_community
        RETURNING version, carried_at INTO v, v_carried_at;
        IF FOUND THEN
            -- some of its doors have just got another code: whoever looked for one before that looks again
            IF v_carried_at > now() - interval '2 seconds' THEN
                RAISE EXCEPTION 'doors of % have got another code', p_community USING ERRCODE = '40001';
            END IF;
            RETURN v;
        END IF;
        -- its rows have just been carried to another code: whoever waited for this clock asks again
        IF EXISTS (SELECT FROM division WHERE code = p_community AND valid_to IS NOT NULL) THEN
            RAISE EXCEPTION 'the code % has ended', p_community USING ERRCODE = '40001';
        END IF;
        INSERT INTO community_clock (community_code) VALUES (p_community) ON CONFLICT DO NOTHING;
    END LOOP;
END
$$
"""


def upgrade() -> None:
    op.create_table(
        "division_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("old_code", sa.CHAR(length=12), nullable=True),
        sa.Column("old_name", sa.String(), nullable=False),
        sa.Column("new_code", sa.CHAR(length=12), nullable=True),
        sa.Column("new_name", sa.String(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("parts", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("adopted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("carried_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('new', 'renamed', 'moved', 'merged', 'split', 'ended')", name="ck_division_change_kind_known"
        ),
        sa.CheckConstraint("level IN ('city', 'district', 'town', 'community')", name="ck_division_change_level_known"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_division_change_old", "division_change", ["old_code"])
    op.create_index("ix_division_change_new", "division_change", ["new_code"])
    op.add_column("community_clock", sa.Column("carried_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(CLOCK)


def downgrade() -> None:
    raise RuntimeError("codes that have been carried along do not come back")
