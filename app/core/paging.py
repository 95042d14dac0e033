"""Keyset paging: an opaque cursor over the sort key of the last item."""

import base64
import binascii
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import orjson

from app.core.errors import Invalid

DEFAULT_LIMIT = 50
MAX_LIMIT = 500


def encode_cursor(*key: Any) -> str:
    """The cursor that stands after an item with this sort key."""
    return base64.urlsafe_b64encode(orjson.dumps(list(key), default=str)).decode().rstrip("=")


def decode_id_cursor(cursor: str) -> UUID:
    """The id inside a cursor that holds one id; raises Invalid as `decode_cursor` does."""
    (text,) = decode_cursor(cursor, str)
    return cursor_uuid(text)


def cursor_uuid(text: str) -> UUID:
    """An id that stood in a cursor; raises Invalid as `decode_cursor` does."""
    try:
        return UUID(text)
    except ValueError:
        raise _invalid_cursor() from None


def cursor_day(text: str) -> date:
    """A day inside a cursor; raises Invalid (`cursor_invalid`) for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _invalid_cursor() from None


def cursor_instant(text: str) -> datetime:
    """An instant inside a cursor; raises Invalid as `decode_cursor` does."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise _invalid_cursor() from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _invalid_cursor() -> Invalid:
    return Invalid(
        "cursor_invalid", "翻页标记无效，请从第一页重新开始。", "The cursor is not valid; begin again.", "cursor"
    )


def decode_cursor(cursor: str, *kinds: type) -> list[Any]:
    """The sort key inside a cursor.

    Raises `Invalid` (`cursor_invalid`) when it is not one of ours with values of `kinds`.
    """
    try:
        key = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(key, list) or len(key) != len(kinds):
            raise ValueError
        for value, kind in zip(key, kinds, strict=True):
            if not isinstance(value, kind) or (isinstance(value, str) and "\x00" in value):
                raise ValueError
    except (ValueError, binascii.Error, orjson.JSONDecodeError, UnicodeError):
        raise _invalid_cursor() from None
    return key
