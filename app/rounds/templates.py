"""Templates: what a level keeps to open a round from, for itself and for those below."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.auth.service import DESK, Actor
from app.core.area_code import code_of, prefix_of
from app.core.clock import now
from app.core.errors import NotFound
from app.core.paging import decode_id_cursor, encode_cursor
from app.questions import forms
from app.rounds.models import RoundTemplate
from app.rounds.schemas import RoundTemplateCreate, RoundTemplateRead
from app.screening.service import covering


async def list_round_templates(
    session: AsyncSession, actor: Actor, area: str, limit: int, cursor: str | None
) -> tuple[list[RoundTemplateRead], str | None]:
    """Templates that the desk of a division may open a round from: its own, and those of the levels above it."""
    actor.demand(area, DESK)
    statement = select(RoundTemplate).where(col(RoundTemplate.division_prefix).in_(covering(area)))
    if cursor:
        statement = statement.where(col(RoundTemplate.id) < decode_id_cursor(cursor))
    rows = list((await session.scalars(statement.order_by(col(RoundTemplate.id).desc()).limit(limit + 1))).all())
    names = await areas.name_divisions(session, sorted({code_of(row.division_prefix) for row in rows}))
    items = [_read(row, names) for row in rows[:limit]]
    return items, encode_cursor(str(items[-1].id)) if len(rows) > limit else None


def _read(row: RoundTemplate, names: dict[str, str]) -> RoundTemplateRead:
    code = code_of(row.division_prefix)
    return RoundTemplateRead(
        **row.content, id=row.id, division_code=code, division_name=names.get(code, ""), name=row.name,
        saved_by_name=row.saved_by_name, saved_at=row.saved_at, question_count=len(row.content.get("questions", [])),
    )  # fmt: skip


async def save_round_template(session: AsyncSession, actor: Actor, new: RoundTemplateCreate) -> RoundTemplateRead:
    """Keep a template for a division; the same name there replaces. Raises NotFound, and Invalid for its questions."""
    actor.demand(new.division_code, DESK)
    forms.check_form(new, is_final=False)
    names = await areas.name_divisions(session, [new.division_code])
    if new.division_code not in names:
        raise NotFound
    prefix = prefix_of(new.division_code)
    same = select(RoundTemplate).where(
        col(RoundTemplate.division_prefix) == prefix, col(RoundTemplate.name) == new.name
    )  # fmt: skip
    row = (await session.scalars(same.with_for_update())).first() or RoundTemplate(
        division_prefix=prefix, name=new.name
    )
    row.content = new.model_dump(mode="json", exclude={"division_code", "name"}, exclude_defaults=True)
    row.content |= {"standard": [str(one) for one in new.standard]}
    row.saved_by_name, row.saved_at = actor.name, now()
    session.add(row)
    await session.flush()
    await audit.append_entry(session, actor.doer, new.division_code, "save_round_template", [row.id])
    return _read(row, names)


async def delete_round_template(session: AsyncSession, actor: Actor, template_id: UUID) -> None:
    """Take a template of one's own part away; rounds opened from it stay as they are."""
    row = await session.get(RoundTemplate, template_id)
    if row is None or not actor.may(code_of(row.division_prefix), DESK):
        raise NotFound
    await audit.append_entry(session, actor.doer, code_of(row.division_prefix), "delete_round_template", [row.id])
    await session.delete(row)
