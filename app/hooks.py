"""What lower rooms may ask of higher ones: who answers, listed here and nowhere else.

Apart from `main`, so that a process that serves nobody need not load the routes.
"""

from app.areas import service as areas
from app.auth import service as auth
from app.care import service as care
from app.import_export import running as import_export
from app.import_undo import evidence as import_undo
from app.people import service as people
from app.posts import service as posts
from app.privacy import service as privacy
from app.residence import service as residence
from app.residence import timeline
from app.screening import service as screening


def install_hooks() -> None:
    """Tell lower rooms what they may ask of higher ones."""
    auth.division_names_hooks[:] = [areas.name_divisions]
    auth.held_areas_hooks[:] = [posts.list_held_areas]
    import_export.part_written_hooks[:] = [import_undo.keep_written]
    people.area_touched_hooks[:] = [posts.touch_areas]
    people.corrected_hooks[:] = [privacy.note_correction]
    people.household_grown_hooks[:] = [screening.reopen_households]
    residence.places_changed_hooks[:] = [screening.follow_people, care.follow_people]
    timeline.event_sources[:] = [screening.list_events, care.list_events]
