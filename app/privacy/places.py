"""Where a person's data lies: under which ids they have stood, in which households, and of which days."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.core.clock import day_start
from app.people import service as people
from app.people.models import Resident
from app.residence.models import Residence, ResidenceKind

_EVER = (datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Span:
    """The person lived in a household from an instant to before another: what was said of it then was said of them."""

    household_id: UUID
    since: datetime
    until: datetime


@dataclass(slots=True)
class Whereabouts:
    """A person's own id first, then those merged into it; the households they lived in, and all in whose records they
    may be named."""

    community_code: str
    ids: list[UUID] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    households: list[UUID] = field(default_factory=list)

    def while_there(self, household: Any, at: Any) -> ColumnElement[bool]:
        """The condition that a row is of a household of theirs (its id, its instant) while they lived there."""
        lived = [and_(household == s.household_id, at >= s.since, at < s.until) for s in self.spans]
        return or_(false(), *lived)


async def find_whereabouts(session: AsyncSession, resident: Resident) -> Whereabouts:
    """Where a person has lived in a community, by its days; households that were merged stand for each other.

    Days are whole: of the day on which somebody moved both households' data is theirs. Nobody's stay before the
    registry knew it has a beginning, and where no stay is written down the present household is theirs.
    """
    code = resident.community_code
    found = Whereabouts(code, list(await people.list_merged_into(session, code, resident.id)))
    stays = (
        await session.scalars(
            select(Residence).where(
                col(Residence.community_code) == code,
                # stays of merged ids were made this one's, as far as they were stays
                col(Residence.resident_id) == resident.id,
                col(Residence.kind) == ResidenceKind.LIVES_HERE,
            )
        )
    ).all()
    days = [(s.household_id, s.started_on, s.ended_on) for s in stays]
    if not resident.is_gone and all(end for _, _, end in days):
        # no row says it: since they left the last place, or since before anybody wrote it down
        days.append((resident.household_id, max((end for _, _, end in days if end), default=None), None))
    registered = await session.scalars(
        select(col(Resident.household_id)).where(col(Resident.community_code) == code, col(Resident.id).in_(found.ids))
    )
    homes = {home for home, _, _ in days} | set(registered)
    same = await _same_households(session, code, homes)
    found.spans = [Span(one, *_instants(start, end)) for home, start, end in days for one in same[home]]
    found.households = sorted({one for home in homes for one in same[home]})
    return found


def _instants(start: date | None, end: date | None) -> tuple[datetime, datetime]:
    return day_start(start) if start else _EVER[0], day_start(end + timedelta(days=1)) if end else _EVER[1]


async def _same_households(session: AsyncSession, code: str, homes: Iterable[UUID]) -> dict[UUID, Sequence[UUID]]:
    """For each household all ids it has stood under."""
    given = sorted(homes)
    roots = await people.find_roots(session, code, given)
    return {home: await people.list_merged_into(session, code, roots.get(home, home)) for home in given}
