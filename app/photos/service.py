"""Taking photos in, listing them, showing one, and ending them."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.auth.service import DESK, PEOPLE, Actor, in_scope
from app.core import crypto
from app.core.clock import now, today
from app.core.errors import Conflict, Invalid, NotFound, Problem
from app.core.paging import decode_id_cursor, encode_cursor
from app.people import service as people
from app.photos.jpeg import NotAJpegError, read_picture
from app.photos.models import VisitPhoto
from app.photos.schemas import PhotoRead
from app.rules import service as rules

CONTENT = "visit_photo.content"
RULE = "retention.photos"
MAX_BYTES = 1_000_000
"""A phone shrinks to 1280 pixels, which is some 300 kB."""
MAX_PIXELS = 4096
MOST_OF_A_HOUSEHOLD = 50
"""Photos of one household that are kept at a time; more is not a record of visits."""


class PhotoTooLarge(Problem):
    """More bytes than a phone sends."""

    def __init__(self) -> None:
        super().__init__("photo_too_large", "照片太大。", "The photo is too large.", 413)


class PhotoTaken(Conflict):
    """Another photo has this id."""

    def __init__(self) -> None:
        super().__init__("id_taken", "这个编号已被占用。", "This id is taken.")


@dataclass(frozen=True, slots=True)
class NewPhoto:
    """A photo as a phone sends it: its own id, whose door, at which visit, when."""

    id: UUID
    household_id: UUID
    visit_id: UUID | None
    taken_at: datetime
    content: bytes


async def take_photo(session: AsyncSession, actor: Actor, new: NewPhoto) -> tuple[PhotoRead, bool]:
    """Keep a photo, sealed and with nothing in it but the picture; the same id again answers what stands, and False.

    For everybody who works in the community: like a record it is taken also after the area has changed hands, also of a
    household that has left the registry meanwhile, and put to the one that stands for it where it was merged away.
    Raises NotFound for the household, PhotoTooLarge, PhotoTaken, Invalid (`photo_unreadable`, `photos_full`).
    """
    if len(new.content) > MAX_BYTES:
        raise PhotoTooLarge
    household, _ = await people.get_household_standing(session, actor, new.household_id, PEOPLE)
    community = household.community_code
    version = await areas.advance_clock(session, community)
    found = await session.get(VisitPhoto, (community, new.id))
    if found is not None:
        if (found.household_id, found.actor_id) != (household.id, actor.id):
            raise PhotoTaken
        return _read(found), False
    try:
        picture = read_picture(new.content)
    except NotAJpegError:
        raise Invalid("photo_unreadable", "这不是能打开的照片。", "This is no photo that can be opened.") from None
    if max(picture.width, picture.height) > MAX_PIXELS:
        raise PhotoTooLarge
    held = text("SELECT count(*) FROM visit_photo WHERE community_code = :c AND household_id = :home")
    if (await session.scalar(held, {"c": community, "home": household.id}) or 0) >= MOST_OF_A_HOUSEHOLD:
        raise Invalid("photos_full", "这一户的照片已经够多。", "This household has enough photos.")
    book = await rules.read_rules(session)
    photo = VisitPhoto(
        community_code=community, id=new.id, household_id=household.id, visit_id=new.visit_id,
        content_sealed=crypto.key_ring().seal(picture.content, CONTENT), byte_count=len(picture.content),
        width=picture.width, height=picture.height, actor_id=actor.id, actor_name=actor.name,
        device_id=actor.device_id, taken_at=new.taken_at, received_at=now(),
        delete_by=book.day_after(RULE, today()), version=version,
    )  # fmt: skip
    session.add(photo)
    await session.flush()
    await audit.append_entry(session, actor.doer, community, "take_photo", [photo.id, household.id])
    return _read(photo), True


def _read(photo: VisitPhoto) -> PhotoRead:
    shown = set(PhotoRead.model_fields)
    return PhotoRead(**photo.model_dump(include=shown), is_deleted=photo.content_sealed is None)


async def list_photos(
    session: AsyncSession, actor: Actor, community_code: str, household_id: UUID | None, limit: int, cursor: str | None
) -> tuple[list[PhotoRead], str | None]:
    """Photos of a community, or of one household in it, newest first, for its desk; without the pictures."""
    actor.demand(community_code, DESK)
    columns = [getattr(VisitPhoto, name) for name in PhotoRead.model_fields if name != "is_deleted"]
    # the picture itself stays where it is
    gone = col(VisitPhoto.content_sealed).is_(None).label("is_deleted")
    statement = select(*columns, gone).where(col(VisitPhoto.community_code) == community_code)
    if household_id:
        statement = statement.where(col(VisitPhoto.household_id) == household_id)
    if cursor:
        statement = statement.where(col(VisitPhoto.id) < decode_id_cursor(cursor))
    statement = statement.order_by(col(VisitPhoto.id).desc()).limit(limit + 1)
    rows = (await session.execute(statement)).mappings().all()
    items = [PhotoRead(**row) for row in rows[:limit]]
    return items, encode_cursor(str(items[-1].id)) if len(rows) > limit else None


async def show_photo(session: AsyncSession, actor: Actor, photo_id: UUID) -> bytes:
    """The picture of a photo, for a desk over the community; that it was shown stands in the trail. Raises NotFound."""
    own = (col(VisitPhoto.id) == photo_id) & in_scope(col(VisitPhoto.community_code), actor, DESK)
    photo = (await session.scalars(select(VisitPhoto).where(own))).first()
    if photo is None or photo.content_sealed is None:
        raise NotFound
    subjects = [photo.id, photo.household_id]
    await audit.append_entry(session, actor.doer, photo.community_code, "show_photo", subjects)
    return crypto.key_ring().open(bytes(photo.content_sealed), CONTENT)


DUE_PHOTOS = "visit_photo WHERE delete_by <= :on AND content_sealed IS NOT NULL"


async def delete_due_photos(session: AsyncSession, community_code: str, on: date, version: int, limit: int) -> int:
    """Take the pictures away whose day has come, `limit` at most; that one was taken stays."""
    result = await session.execute(
        text(f"""
        WITH due AS (SELECT id FROM {DUE_PHOTOS} AND community_code = :c ORDER BY id LIMIT :limit), emptied AS (
            UPDATE visit_photo p SET content_sealed = NULL, version = :version
            FROM due WHERE p.community_code = :c AND p.id = due.id RETURNING 1
        ) SELECT count(*) FROM emptied
    """),
        {"c": community_code, "on": on, "version": version, "limit": limit},
    )
    return int(result.scalar_one())
