"""The one writer of the registry: doors, households and people, as sets.

The roster import, the HTTP routes and the demo all call `put_dwellings`. It compares what is given with what
is known and writes only the difference, so the same list twice changes nothing. A value that is missing in
the list never erases one that is known; nobody is removed because a list does not name them.

A list may say of when it is (`as_of`). What a person has entered since then stands against it, fact by fact, and the
difference is told; what is older gives way to the list.
"""

from app.people.registry.given import (
    DATED,
    FACTS,
    DwellingInput,
    HouseholdInput,
    PersonInput,
    Subject,
    kind_without_number,
)
from app.people.registry.known import Known
from app.people.registry.outcome import (
    IS_GONE,
    PLACE,
    Before,
    Departed,
    Difference,
    FindDeparted,
    PutConflict,
    PutCounts,
    vars_of,
)
from app.people.registry.putting import Newcomers, compare_dwellings, create_resident, person_input, put_dwellings
from app.people.registry.tables import CHANGING, COLUMNS, say_again

__all__ = [
    "CHANGING",
    "COLUMNS",
    "DATED",
    "FACTS",
    "IS_GONE",
    "PLACE",
    "Before",
    "Departed",
    "Difference",
    "DwellingInput",
    "FindDeparted",
    "HouseholdInput",
    "Known",
    "Newcomers",
    "PersonInput",
    "PutConflict",
    "PutCounts",
    "Subject",
    "compare_dwellings",
    "create_resident",
    "kind_without_number",
    "person_input",
    "put_dwellings",
    "say_again",
    "vars_of",
]
