"""Pioneer posts: publishing, claiming 认领, giving back."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.auth.service import DESK, OVERSEERS, PEOPLE, Actor, in_scope
from app.core.clock import now
from app.core.errors import Conflict, Invalid, NotFound
from app.core.paging import cursor_uuid, decode_cursor, encode_cursor
from app.posts.models import Post, PostClaim
from app.posts.schemas import Claimant, PostCreate, PostRead, PostUpdate


class PostFull(Conflict):
    """All places are taken."""

    def __init__(self) -> None:
        super().__init__("post_full", "这个岗位的名额刚刚满了。", "The last place of this post has just been taken.")


class PostAlreadyClaimed(Conflict):
    """One standing claim each."""

    def __init__(self) -> None:
        super().__init__("post_already_claimed", "您已经认领了这个岗位。", "You have claimed this post already.")


class PostOver(Conflict):
    """The time of the post is over."""

    def __init__(self) -> None:
        super().__init__("post_over", "这个岗位的时间已过。", "This post is over.")


def _check_times(post: Post) -> None:
    if post.ends_at <= post.starts_at:
        raise Invalid("post_times", "结束时间应晚于开始时间。", "A post ends after it begins.", "ends_at")


async def create_post(session: AsyncSession, actor: Actor, new: PostCreate) -> PostRead:
    """Make a post; published ones can be claimed at once."""
    actor.demand(new.community_code, DESK)
    await areas.get_community_name(session, new.community_code)
    post = Post(**new.model_dump(), created_by=actor.id)
    _check_times(post)
    post.version = await areas.advance_clock(session, new.community_code)
    session.add(post)
    await session.flush()
    await audit.append_entry(session, actor.doer, new.community_code, "create_post", [post.id])
    return (await _reads(session, actor, [post]))[0]


async def update_post(session: AsyncSession, actor: Actor, post_id: UUID, change: PostUpdate) -> PostRead:
    """Change a post; never fewer places than are claimed (Invalid `wanted_below_claimed`)."""
    post = await _find(session, actor, post_id)
    if not actor.may(post.community_code, DESK):
        raise NotFound
    post.version = await areas.advance_clock(session, post.community_code)
    await session.refresh(post, ["claimed_count"])
    for name, value in change.model_dump(exclude_unset=True).items():
        if value is not None:
            setattr(post, name, value)
    _check_times(post)
    if post.wanted_count < post.claimed_count:
        raise Invalid(
            "wanted_below_claimed", "需要人数少于已认领人数。", "Fewer are wanted than have claimed.", "wanted_count"
        )
    await audit.append_entry(session, actor.doer, post.community_code, "update_post", [post_id])
    await session.flush()
    return (await _reads(session, actor, [post]))[0]


async def _find(session: AsyncSession, actor: Actor, post_id: UUID) -> Post:
    statement = select(Post).where(
        col(Post.id) == post_id,
        or_(
            in_scope(col(Post.community_code), actor, OVERSEERS),
            in_scope(col(Post.community_code), actor, PEOPLE) & col(Post.is_published),
        ),
    )
    post = (await session.scalars(statement)).first()
    if post is None:
        raise NotFound
    return post


async def get_post(session: AsyncSession, actor: Actor, post_id: UUID) -> PostRead:
    """A post: published ones for everybody in scope, drafts for their desk."""
    return (await _reads(session, actor, [await _find(session, actor, post_id)]))[0]


async def list_posts(
    session: AsyncSession,
    actor: Actor,
    community_code: str | None,
    is_mine: bool | None,
    limit: int,
    cursor: str | None,
) -> tuple[list[PostRead], str | None]:
    """Posts that are not over, the next to begin first."""
    statement = select(Post).where(
        col(Post.ends_at) > now(),
        or_(
            in_scope(col(Post.community_code), actor, OVERSEERS),
            in_scope(col(Post.community_code), actor, PEOPLE) & col(Post.is_published),
        ),
    )
    if community_code:
        if not actor.scope.covers(community_code):
            raise NotFound
        statement = statement.where(col(Post.community_code) == community_code)
    if is_mine is not None:
        mine = select(col(PostClaim.post_id)).where(
            col(PostClaim.account_id) == actor.id, col(PostClaim.released_at).is_(None)
        )
        statement = statement.where(col(Post.id).in_(mine) if is_mine else col(Post.id).not_in(mine))
    if cursor:
        begins, after = decode_cursor(cursor, str, str)
        last = await session.get(Post, (begins, cursor_uuid(after)))
        if last is None:
            raise NotFound
        same_time = (col(Post.starts_at) == last.starts_at) & (col(Post.id) > last.id)
        statement = statement.where(or_(col(Post.starts_at) > last.starts_at, same_time))
    statement = statement.order_by(col(Post.starts_at), col(Post.id)).limit(limit + 1)
    rows = list((await session.scalars(statement)).all())
    more = encode_cursor(rows[limit - 1].community_code, str(rows[limit - 1].id)) if len(rows) > limit else None
    return await _reads(session, actor, rows[:limit]), more


async def _reads(session: AsyncSession, actor: Actor, posts: Sequence[Post]) -> list[PostRead]:
    names = await areas.name_divisions(session, sorted({post.community_code for post in posts}))
    statement = select(PostClaim).where(
        col(PostClaim.post_id).in_([post.id for post in posts]), col(PostClaim.released_at).is_(None)
    )
    by_post: dict[UUID, list[PostClaim]] = {}
    for claim in (await session.scalars(statement.order_by(col(PostClaim.claimed_at)))).all():
        by_post.setdefault(claim.post_id, []).append(claim)
    return [
        PostRead(
            **post.model_dump(include=set(PostRead.model_fields)),
            community_name=names.get(post.community_code, ""),
            is_mine=any(claim.account_id == actor.id for claim in by_post.get(post.id, [])),
            claimants=[Claimant(account_id=c.account_id, name=c.account_name) for c in by_post.get(post.id, [])]
            if actor.may(post.community_code, OVERSEERS)
            else [],
        )
        for post in posts
    ]


async def claim_post(session: AsyncSession, actor: Actor, post_id: UUID) -> PostRead:
    """Claim a place: one statement counts up within what is wanted, so never too many.

    Raises PostFull, PostAlreadyClaimed, PostOver.
    """
    post = await _find(session, actor, post_id)
    if not post.is_published or not actor.may(post.community_code, PEOPLE):
        raise NotFound
    if post.ends_at <= now():
        raise PostOver
    version = await areas.advance_clock(session, post.community_code)
    standing = select(PostClaim).where(
        col(PostClaim.community_code) == post.community_code,
        col(PostClaim.post_id) == post_id,
        col(PostClaim.account_id) == actor.id,
        col(PostClaim.released_at).is_(None),
    )
    if (await session.scalars(standing)).first() is not None:
        raise PostAlreadyClaimed
    counted = await session.execute(
        update(Post)
        .where(
            col(Post.community_code) == post.community_code,
            col(Post.id) == post_id,
            col(Post.claimed_count) < col(Post.wanted_count),
        )
        .values(claimed_count=Post.claimed_count + 1, version=version)
        .returning(col(Post.id))
    )
    if counted.first() is None:
        raise PostFull
    session.add(
        PostClaim(
            community_code=post.community_code,
            post_id=post_id,
            account_id=actor.id,
            account_name=actor.name,
            claimed_at=now(),
        )
    )
    await audit.append_entry(session, actor.doer, post.community_code, "claim_post", [post_id])
    await session.flush()
    await session.refresh(post)
    return (await _reads(session, actor, [post]))[0]


async def release_post(session: AsyncSession, actor: Actor, post_id: UUID) -> PostRead:
    """Give one's place back; raises Conflict (`post_not_claimed`) without a standing claim."""
    post = await _find(session, actor, post_id)
    version = await areas.advance_clock(session, post.community_code)
    released = await session.execute(
        update(PostClaim)
        .where(
            col(PostClaim.community_code) == post.community_code,
            col(PostClaim.post_id) == post_id,
            col(PostClaim.account_id) == actor.id,
            col(PostClaim.released_at).is_(None),
        )
        .values(released_at=now())
        .returning(col(PostClaim.id))
    )
    if released.first() is None:
        raise Conflict("post_not_claimed", "您没有认领这个岗位。", "You have not claimed this post.")
    await session.execute(
        update(Post)
        .where(col(Post.community_code) == post.community_code, col(Post.id) == post_id)
        .values(claimed_count=Post.claimed_count - 1, version=version)
    )
    await audit.append_entry(session, actor.doer, post.community_code, "release_post", [post_id])
    await session.flush()
    await session.refresh(post)
    return (await _reads(session, actor, [post]))[0]
