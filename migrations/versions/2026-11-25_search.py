"""search: full pinyin, addresses as one key, indexes that row-level security lets a search use

Revision: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from app.people.naming import pinyin

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SEARCH_KEY = (
    r"regexp_replace(regexp_replace(lower(normalize("
    r"CASE WHEN compound || building || stair || room = '' THEN address "
    r"ELSE compound || building || '-' || stair || '-' || room END, NFKC)), '\s+', '', 'g'), "
    r"'(?<![0-9])-+|-+(?![0-9])', '', 'g')"
)
BATCH = 1000


def upgrade() -> None:
    op.add_column("resident", sa.Column("name_pinyin", sa.String(), server_default=sa.text("''"), nullable=False))
    connection = op.get_bind()
    names = [row[0] for row in connection.execute(sa.text("SELECT DISTINCT name FROM resident"))]
    for start in range(0, len(names), BATCH):
        part = names[start : start + BATCH]
        connection.execute(
            sa.text(
                "UPDATE resident r SET name_pinyin = v.pinyin "
                "FROM unnest(cast(:names AS text[]), cast(:pinyins AS text[])) AS v(name, pinyin) WHERE r.name = v.name"
            ),
            {"names": part, "pinyins": [pinyin(name) for name in part]},
        )
    op.add_column("dwelling", sa.Column("search_key", sa.Text(), sa.Computed(SEARCH_KEY, persisted=True)))
    for name, table, columns in (
        ("ix_resident_name", "resident", ["name", "community_code", "id"]),
        ("ix_resident_initials", "resident", ["name_initials", "community_code", "id"]),
        ("ix_resident_pinyin", "resident", ["name_pinyin", "community_code", "id"]),
        ("ix_dwelling_search", "dwelling", ["search_key", "community_code", "id"]),
    ):
        op.create_index(name, table, columns, postgresql_ops={columns[0]: "text_pattern_ops"})
    # the community last, so that one index serves a community and a whole city
    op.drop_index("ix_resident_id_index", "resident")
    op.create_index("ix_resident_id_index", "resident", ["id_index", "community_code"])
    op.create_index("ix_resident_phone_index", "resident", ["phone_index", "community_code"])
    op.create_index("ix_household_phone_index", "household", ["phone_index", "community_code"])


def downgrade() -> None:
    op.drop_index("ix_household_phone_index", "household")
    op.drop_index("ix_resident_phone_index", "resident")
    op.drop_index("ix_resident_id_index", "resident")
    op.create_index("ix_resident_id_index", "resident", ["community_code", "id_index"])
    op.drop_column("dwelling", "search_key")
    op.drop_column("resident", "name_pinyin")
    op.drop_index("ix_resident_initials", "resident")
    op.drop_index("ix_resident_name", "resident")
