"""What of an answer is above threshold, by the rules of the day it was recorded on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.core.clock import today
from app.core.ids import new_id
from app.rules.service import RuleBook
from app.screening.models import PersonStatus, Symptom
from app.screening.schemas import PersonAnswer

TEMPERATURE = "finding.temperature_c"
"""From how many °C a temperature is followed up."""
SYMPTOMS = "finding.symptoms"
CONTACT = "finding.contact"
"""Whether (1 or 0) a symptom, and having been in a risk area or with somebody from there, is followed up."""
_KEYS = (TEMPERATURE, SYMPTOMS, CONTACT)


def _begin(book: RuleBook) -> list[date]:
    """The days from which all three are known on which one of them changes, in order."""
    first = max(min(rule.effective_on for rule in book.rules if rule.key == key) for key in _KEYS)
    return sorted({max(rule.effective_on, first) for rule in book.rules if rule.key in _KEYS})


@dataclass(frozen=True, slots=True)
class Threshold:
    """The rules in force, and since which day these three stand together."""

    from_on: date
    temperature_c: float
    symptoms: bool
    contact: bool

    @classmethod
    def of(cls, book: RuleBook, day: date | None = None) -> "Threshold":
        """Those of a day, of today when it is left out; of a day before there were any, the first there were."""
        begun = _begin(book)
        on = max(day or today(), begun[0])
        figures = [book.in_force(key, on).value for key in _KEYS]
        return cls(max(one for one in begun if one <= on), figures[0], figures[1] >= 1, figures[2] >= 1)

    @classmethod
    def between(cls, book: RuleBook, since: date, until: date) -> list["Threshold"]:
        """All that hold on some day from `since` to `until`, oldest first."""
        return [cls.of(book, day) for day in (since, *(one for one in _begin(book) if since < one <= until))]

    def with_fever(self, person: PersonAnswer) -> PersonAnswer:
        """What somebody says of themselves as a worker's phone would have it: a fever is a symptom, whatever was ticked
        beside it."""
        if person.temperature_c is None or person.temperature_c < self.temperature_c:
            return person
        symptoms = [Symptom.FEVER, *(one for one in person.symptoms if one != Symptom.FEVER)]
        changed = person.model_dump() | {"status": PersonStatus.SYMPTOMS, "symptoms": symptoms}
        return PersonAnswer.model_validate(changed)

    def find(self, persons: Sequence[PersonAnswer]) -> list[dict[str, Any]]:
        """Findings as SQL reads them, each with an id for the follow-up that it may need; [] most of the time."""
        found = []
        for person in persons:
            hot = person.temperature_c is not None and person.temperature_c >= self.temperature_c
            ill = self.symptoms and person.status == PersonStatus.SYMPTOMS
            near = self.contact and person.risk_area is True
            if hot or ill or near:
                named = (("temperature", hot), ("symptoms", ill), ("contact", near))
                reasons = [reason for reason, is_one in named if is_one]
                found.append(person.model_dump(exclude={"status"}) | {"id": new_id(), "reasons": reasons})
        return found
