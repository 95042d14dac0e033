"""Every table, for Alembic and tests."""

from sqlmodel import SQLModel

from app.areas import models as areas
from app.audit import models as audit
from app.auth import models as auth
from app.care import models as care
from app.duplicates import models as duplicates
from app.exports import models as exports
from app.flagged_edits import models as flagged_edits
from app.followups import models as followups
from app.import_export import models as import_export
from app.import_undo import models as import_undo
from app.merges import models as merges
from app.not_home import models as not_home
from app.people import models as people
from app.photos import models as photos
from app.posts import models as posts
from app.privacy import models as privacy
from app.questions import models as questions
from app.reports import models as reports
from app.residence import models as residence
from app.risk_areas import models as risk_areas
from app.rounds import models as rounds
from app.rules import models as rules
from app.screening import models as screening
from app.sync import models as sync
from app.taken_out import models as taken_out
from app.walk_sheets import models as walk_sheets

MODULES = (
    audit,
    auth,
    areas,
    rules,
    people,
    residence,
    posts,
    questions,
    screening,
    rounds,
    followups,
    risk_areas,
    not_home,
    care,
    photos,
    flagged_edits,
    merges,
    duplicates,
    reports,
    privacy,
    import_export,
    import_undo,
    taken_out,
    sync,
    exports,
    walk_sheets,
)
metadata = SQLModel.metadata
