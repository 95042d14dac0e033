"""undoing imports: what an import wrote, what stood there before, what an undo has left

Revision: 0029
Revises: 0028
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_TABLES = ("import_written", "import_before", "import_left")


def upgrade() -> None:
    op.add_column("import_job", sa.Column("undo_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("import_job", sa.Column("undo_status", sa.Text(), nullable=True))
    op.add_column("import_job", sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("import_job", sa.Column("undone_by", sa.Uuid(), nullable=True))
    op.add_column("import_job", sa.Column("undone_by_name", sa.String(), server_default="", nullable=False))
    op.create_check_constraint(
        "ck_import_job_undo_status_known", "import_job", "undo_status IN ('queued', 'running', 'done', 'failed')"
    )
    op.create_table(
        "import_written",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("low_id", sa.Uuid(), nullable=True),
        sa.Column("high_id", sa.Uuid(), nullable=True),
        *(
            sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False)
            for name in ("door_count", "household_count", "person_count", "fact_count", "kept_count")
        ),
        sa.Column("written_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("undone_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("community_code", "import_id"),
    )
    op.create_index("ix_import_written_import", "import_written", ["import_id", "community_code"])
    op.create_table(
        "import_before",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("facts", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("columns", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("before", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("changes", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        *(
            sa.Column(name, sa.LargeBinary(), nullable=True)
            for name in (
                "id_sealed", "id_index", "phone_sealed", "phone_index", "home_phone_sealed", "home_phone_index",
                "note_sealed",
            )
        ),
        sa.CheckConstraint("kind IN ('dwelling', 'household', 'resident')", name="ck_import_before_kind_known"),
        sa.PrimaryKeyConstraint("community_code", "import_id", "subject_id"),
    )  # fmt: skip
    op.create_table(
        "import_left",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("dwelling_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("touched_by_name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("community_code", "id"),
    )
    op.create_index("ix_import_left_import", "import_left", ["community_code", "import_id"])
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY scope ON {table} USING (coalesce(community_code LIKE ANY "
            "(string_to_array(current_setting('app.scope', true), ',')), false))"
        )


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
    op.drop_constraint("ck_import_job_undo_status_known", "import_job")
    for column in ("undone_by_name", "undone_by", "undone_at", "undo_status", "undo_until"):
        op.drop_column("import_job", column)
