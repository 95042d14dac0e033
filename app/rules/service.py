"""Reading the rules in force, and setting new ones."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from weakref import WeakKeyDictionary

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.audit import service as audit
from app.core.clock import now, today
from app.core.db import EVERYWHERE, NOWHERE, Database
from app.core.errors import Invalid
from app.rules.models import DatedRule
from app.rules.schemas import RuleRead

BELIEVED_SECONDS = 60.0
"""How long a process goes on with the rules it has read: a new rule begins on a day, not in a second."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A figure and where it comes from."""

    key: str
    effective_on: date
    value: float
    unit: str
    source: str


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules, as they were read."""

    rules: tuple[Rule, ...]

    def in_force(self, key: str, on: date) -> Rule:
        """The rule that holds on a day; LookupError when there is none, which a migrated database never shows."""
        begun = [rule for rule in self.rules if rule.key == key and rule.effective_on <= on]
        if not begun:
            raise LookupError(f"no rule {key} on {on}")
        return max(begun, key=lambda rule: rule.effective_on)

    def day_after(self, key: str, on: date) -> date:
        """The day that lies the rule's number of days after `on`."""
        return on + timedelta(days=int(self.in_force(key, on).value))


_BOUNDS = {"days": (1, 3650), "celsius": (35.0, 42.0), "switch": (0, 1), "times": (1, 20), "parts_of_day": (1, 3)}
"""What a figure of a unit may be; all but temperatures are whole numbers."""

_books: WeakKeyDictionary[Database, tuple[float, RuleBook]] = WeakKeyDictionary()


async def read_rules(session: AsyncSession) -> RuleBook:
    """The rules as they stand."""
    rows = (await session.scalars(select(DatedRule).order_by(col(DatedRule.key), col(DatedRule.effective_on)))).all()
    return RuleBook(tuple(Rule(r.key, r.effective_on, r.value, r.unit, r.source) for r in rows))


async def find_rules(database: Database) -> RuleBook:
    """The rules as they stood at most a minute ago: for hot paths, which have no round trip to spare."""
    held = _books.get(database)
    if held is not None and held[0] > time.monotonic():
        return held[1]
    async with database.session(EVERYWHERE) as session:
        book = await read_rules(session)
    _books[database] = (time.monotonic() + BELIEVED_SECONDS, book)
    return book


async def set_rule(
    session: AsyncSession, doer: audit.Doer, key: str, effective_on: date, value: float, source: str
) -> Rule:
    """Set a figure from a day on; the same key and day again replaces. Its unit is that of the rules before.

    Raises Invalid: `rule_unknown` when nothing is called so, `rule_value` for what it cannot be (a period shorter than
    a day), `rule_past` for a day that is over, whose records have been judged.
    """
    known: Sequence[Rule] = [rule for rule in (await read_rules(session)).rules if rule.key == key]
    if not known:
        raise Invalid("rule_unknown", "没有这一项口径。", "There is no such rule.", "key")
    least, most = _BOUNDS.get(known[0].unit, (value, value))
    if not least <= value <= most or (known[0].unit != "celsius" and value != int(value)):
        raise Invalid("rule_value", "数值超出这一项口径的范围。", "The value is out of this rule's range.", "value")
    if effective_on < today():
        raise Invalid(
            "rule_past", "口径不能改到已经过去的日子。", "A rule cannot be changed in the past.", "effective_on"
        )
    rule = DatedRule(
        key=key, effective_on=effective_on, value=value, unit=known[0].unit, source=source, set_at=now(),
        set_by_name=doer.name,
    )  # fmt: skip
    await session.merge(rule)
    await session.flush()
    await audit.append_entry(
        session, doer, NOWHERE, "set_rule", [key], {"effective_on": effective_on, "value": value, "source": source}
    )
    return Rule(key, effective_on, value, rule.unit, source)


async def list_rules(session: AsyncSession) -> list[RuleRead]:
    """All rules by key, of each the latest first, with the time each holds."""
    statement = select(DatedRule).order_by(col(DatedRule.key), col(DatedRule.effective_on).desc())
    items: list[RuleRead] = []
    for row in (await session.scalars(statement)).all():
        after = items[-1] if items and items[-1].key == row.key else None
        ended_on = after.effective_on - timedelta(days=1) if after else None
        least, most = _BOUNDS.get(row.unit, (None, None))
        standing = "coming" if row.effective_on > today() else "past" if ended_on and ended_on < today() else "in_force"
        items.append(
            RuleRead.model_validate(
                row.model_dump()
                | {
                    "ended_on": ended_on, "standing": standing, "set_by_name": row.set_by_name or None,
                    "least": least, "most": most,
                }
            )
        )  # fmt: skip
    return items
