"""imports by community: files in pieces, what waits for each community, what differed, of when a file is

Revision: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


TABLES = ("import_part", "import_doors", "import_difference")


def upgrade() -> None:
    op.add_column(
        "import_job", sa.Column("as_of", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
    )
    op.add_column("import_job", sa.Column("staged_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE import_job SET as_of = created_at")
    op.add_column("import_file", sa.Column("seq", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.alter_column("import_file", "seq", server_default=None)
    op.drop_constraint("pk_import_file", "import_file")
    op.create_primary_key("pk_import_file", "import_file", ["import_id", "seq"])
    op.add_column(
        "import_problem", sa.Column("is_of_registry", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.create_table(
        "import_part",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), server_default="staged", nullable=False),
        sa.Column("counts", sa.dialects.postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('staged', 'done')", name="ck_import_part_status_known"),
        sa.PrimaryKeyConstraint("community_code", "import_id"),
    )
    op.create_index("ix_import_part_import", "import_part", ["import_id", "community_code"])
    op.create_table(
        "import_doors",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("community_code", "import_id", "seq"),
    )
    op.create_table(
        "import_difference",
        sa.Column("community_code", sa.CHAR(length=12), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("is_kept", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("listed_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("registered_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sheet", sa.String(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.CheckConstraint("subject IN ('household', 'resident')", name="ck_import_difference_subject_known"),
        sa.PrimaryKeyConstraint("community_code", "import_id", "seq"),
    )
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY scope ON {table} USING (community_code LIKE ANY "
            "(string_to_array(current_setting('app.scope', true), ',')))"
        )


def downgrade() -> None:
    raise RuntimeError("a file in pieces does not fit into one row again")
