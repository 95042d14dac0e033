"""the values of decided conflicts end

Revision: 0033
Revises: 0032
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("edit_conflict", sa.Column("delete_by", sa.Date(), nullable=True))
    for column in ("server_sealed", "phone_sealed"):
        op.alter_column("edit_conflict", column, existing_type=sa.LargeBinary(), nullable=True)
    # decided before there was an end: from that day, as those that follow
    op.execute(
        "UPDATE edit_conflict SET delete_by = (resolved_at AT TIME ZONE 'Asia/Shanghai')::date + 180 "
        "WHERE kept IS NOT NULL AND resolved_at IS NOT NULL"
    )
    op.drop_constraint("ck_deletion_record_kind_known", "deletion_record", type_="check")
    op.create_check_constraint(
        "ck_deletion_record_kind_known",
        "deletion_record",
        "kind IN ('door_visits', 'person_checks', 'care_visits', 'findings', 'follow_up_notes', 'self_reports', "
        "'answers', 'photos', 'flagged_edits', 'edit_conflicts')",
    )


def downgrade() -> None:
    raise RuntimeError("what has ended cannot be brought back")
