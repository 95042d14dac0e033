"""The token in a household's QR: made, found, replaced.

A token names its community, so that it is looked up where it belongs and nowhere else, and 120 random bits. It is
stored sealed, because a notice may be printed again, and found by its blind index.
"""

import base64
import io
import secrets
from collections.abc import Sequence
from uuid import UUID

import segno
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.core import crypto
from app.core.clock import now
from app.not_home.models import HouseholdCode
from app.people import service as people

SEALED_AS = "household_code.token"
_RANDOM_BYTES = 15
_LENGTH = 32


def make_token(community_code: str) -> str:
    """A fresh token for a household of a community: 32 letters and digits."""
    raw = int(community_code).to_bytes(5, "big") + secrets.token_bytes(_RANDOM_BYTES)
    return base64.b32encode(raw).decode().lower()


def community_of(token: str) -> str | None:
    """The community a token speaks of; None for what is no token."""
    if len(token) != _LENGTH:
        return None
    try:
        number = int.from_bytes(base64.b32decode(token.upper())[:5], "big")
    except ValueError:
        return None
    return f"{number:012d}" if number < 10**12 else None


async def issue_codes(
    session: AsyncSession, community_code: str, household_ids: Sequence[UUID], version: int
) -> dict[UUID, str]:
    """The standing token of each household, made where there is none."""
    standing = select(HouseholdCode).where(
        col(HouseholdCode.community_code) == community_code,
        col(HouseholdCode.household_id).in_(list(household_ids)),
        col(HouseholdCode.revoked_at).is_(None),
    )
    tokens = {
        code.household_id: crypto.open_text(code.token_sealed, SEALED_AS) or ""
        for code in (await session.scalars(standing)).all()
    }
    for household_id in household_ids:
        if household_id not in tokens:
            token = tokens[household_id] = make_token(community_code)
            session.add(
                HouseholdCode(
                    community_code=community_code,
                    household_id=household_id,
                    token_sealed=crypto.key_ring().seal(token.encode(), SEALED_AS),
                    token_index=crypto.blind_index(token, SEALED_AS),
                    version=version,
                )
            )
    await session.flush()
    return tokens


async def revoke_code(session: AsyncSession, community_code: str, household_id: UUID, version: int) -> UUID | None:
    """End the codes that lead to a household, those of households merged into it too; answers the id of one."""
    leading = await people.list_merged_into(session, community_code, household_id)
    found = (
        await session.scalars(
            select(HouseholdCode).where(
                col(HouseholdCode.community_code) == community_code,
                col(HouseholdCode.household_id).in_(leading),
                col(HouseholdCode.revoked_at).is_(None),
            )
        )
    ).all()
    for one in found:
        one.revoked_at, one.version = now(), version
    await session.flush()
    return found[0].id if found else None


def qr_of(url: str) -> str:
    """A QR as SVG."""
    picture = io.BytesIO()
    segno.make(url, error="m").save(picture, kind="svg", scale=4, border=2, xmldecl=False)
    return picture.getvalue().decode()
