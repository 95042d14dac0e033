"""Every list that can be taken away, its columns once, by the name of the list's route function.

A list that is in neither of the tables here fails `tests/exports/test_lists.py`.
"""

from app.exports.columns import List
from app.exports.office_lists import OFFICE
from app.exports.registry_lists import REGISTRY
from app.exports.work_lists import WORK

LISTS: dict[str, List] = REGISTRY | WORK | OFFICE

WITHOUT: dict[str, str] = {
    "list_destinations": "the communities a name may mean, to choose one from",
    "list_import_fields": "what a column of a roster may hold: a help text, not a list of the work",
    "list_own_devices": "one's own two or three devices, on a phone",
    "list_import_differences": "it has a workbook of its own, under the path where this one would stand",
    "get_import": "an import with its problems, which its error workbook holds in the sheet they are about",
}
"""Lists without a workbook, each with its reason."""
