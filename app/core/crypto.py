"""Keys at work: AES-GCM for values, HMAC for equality without reading, and masks for answers.

A sealed value is `len(key id) | key id | 12-byte nonce | ciphertext`, so keys can change while old
values stay readable. `app.core.rotation` changes them.
"""

import base64
import binascii
import hashlib
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.config import get_settings

RELOAD_SECONDS = 1.0
"""How long a process may go on writing under the key that was first before its key file changed."""
INDEX = "index"


@dataclass(frozen=True, slots=True)
class Keys:
    """Data keys by id, the first one writing and all reading; blind index keys, the first one writing."""

    current: str
    ciphers: dict[str, AESGCM]
    index_keys: tuple[bytes, ...] = field(repr=False)
    data_keys: dict[str, bytes] = field(repr=False)


def parse_keys(text: str) -> Keys:
    """Keys out of `id:base64` pairs divided by commas or lines, each of 32 bytes.

    `index` is the blind index's key; one that it replaces stands beside it as `index-…` until every index is
    computed anew. Raises ValueError, which never holds a key.
    """
    pairs = [pair.strip().split(":", 1) for pair in text.replace("\n", ",").split(",") if pair.strip()]
    try:
        keys = {name.strip(): base64.b64decode(value, validate=True) for name, value in pairs}
    except (ValueError, binascii.Error):
        keys = {}
    indexes = [keys.pop(name) for name in sorted(keys) if name == INDEX or name.startswith(f"{INDEX}-")]
    has_index = any(name == INDEX for name, *_ in pairs)
    names_fit = all(0 < len(name.encode()) < 256 for name in keys)
    if not keys or not has_index or not names_fit or any(len(key) != 32 for key in [*keys.values(), *indexes]):
        raise ValueError("data keys: want id:base64 of 32 bytes each, and one named index")
    return Keys(next(iter(keys)), {name: AESGCM(key) for name, key in keys.items()}, tuple(indexes), keys)


class KeyRing:
    """The keys of a process. Those from a file follow the file, so that keys change while the service runs.

    A value under a key that is not known makes the file be read again at once: whoever adds a key to it may
    write under that key right after.
    """

    def __init__(self, text: str, file: Path | None = None) -> None:
        self.file = file
        self._stamp = self._stat()
        self._looked_at = time.monotonic()
        self.keys = parse_keys(text)

    def _stat(self) -> tuple[int, int, int] | None:
        if self.file is None:
            return None
        found = self.file.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino

    def refresh(self, *, at_once: bool = False) -> None:
        """Take up a changed file, looking once a second unless `at_once`; one that cannot be read changes nothing."""
        if self.file is None or (not at_once and time.monotonic() - self._looked_at < RELOAD_SECONDS):
            return
        self._looked_at = time.monotonic()
        try:
            stamp = self._stat()
            if stamp != self._stamp:
                self.keys = parse_keys(self.file.read_text())
                self._stamp = stamp
        except (OSError, ValueError):
            return

    @property
    def current(self) -> str:
        """The id of the key that writes."""
        self.refresh()
        return self.keys.current

    def seal(self, plain: bytes, context: str) -> bytes:
        """Encrypt under the current key; `context` (table.column) must be the same on opening."""
        self.refresh()
        keys = self.keys
        nonce = os.urandom(12)
        return _heading(keys.current) + nonce + keys.ciphers[keys.current].encrypt(nonce, plain, context.encode())

    def seal_each(self, texts: Sequence[str | None], context: str) -> list[bytes | None]:
        """As `seal` each, for the many values of a list; None and empty stay None."""
        self.refresh()
        keys = self.keys
        encrypt, heading, bound = keys.ciphers[keys.current].encrypt, _heading(keys.current), context.encode()
        random = os.urandom(12 * len(texts))
        sealed: list[bytes | None] = []
        for at, text in zip(range(0, len(random), 12), texts, strict=True):
            nonce = random[at : at + 12]
            sealed.append(heading + nonce + encrypt(nonce, text.encode(), bound) if text else None)
        return sealed

    def index_each(self, values: Iterable[str], context: str) -> dict[str, bytes]:
        """The blind index of each of many values."""
        self.refresh()
        inner, outer = (half.copy() for half in _padded(self.keys.index_keys[0]))
        inner.update(f"{context}\x00".encode())
        indexes = {}
        for value in values:
            first, second = inner.copy(), outer.copy()
            first.update(value.encode())
            second.update(first.digest())
            indexes[value] = second.digest()[:16]
        return indexes

    def open(self, sealed: bytes, context: str) -> bytes:
        """Decrypt; raises `cryptography.exceptions.InvalidTag` when changed, KeyError when the key is gone."""
        end = 1 + sealed[0]
        name = sealed[1:end].decode()
        if name not in self.keys.ciphers:
            self.refresh(at_once=True)
        return self.keys.ciphers[name].decrypt(sealed[end : end + 12], sealed[end + 12 :], context.encode())

    def blind_indexes(self, value: str, context: str) -> list[bytes]:
        """A value's blind index, and below it what it was under index keys that are being replaced.

        16 bytes each that are equal when the values are equal, and say nothing else.
        """
        self.refresh()
        message = f"{context}\x00{value}".encode()
        return [_mac(key, message)[:16] for key in self.keys.index_keys]


@lru_cache(maxsize=16)
def _heading(key_id: str) -> bytes:
    name = key_id.encode()
    return bytes([len(name)]) + name


@lru_cache(maxsize=16)
def _padded(key: bytes) -> "tuple[hashlib._Hash, hashlib._Hash]":
    block = key.ljust(64, b"\0")
    return hashlib.sha256(bytes(byte ^ 0x36 for byte in block)), hashlib.sha256(bytes(byte ^ 0x5C for byte in block))


def _mac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA-256 (RFC 2104) under a key of 32 bytes, which is hashed once and not for each of a million numbers."""
    inner, outer = (half.copy() for half in _padded(key))
    inner.update(message)
    outer.update(inner.digest())
    return outer.digest()


@lru_cache
def key_ring() -> KeyRing:
    """The key ring of this process."""
    settings = get_settings()
    return KeyRing(settings.key_ring, settings.key_file)


def seal_text(text: str | None, context: str) -> bytes | None:
    """Encrypt a text; None and empty stay None."""
    return key_ring().seal(text.encode(), context) if text else None


def seal_base64(text: str | None, context: str) -> str | None:
    """As `seal_text`, in base64 for a JSON document on its way into SQL."""
    sealed = seal_text(text, context)
    return None if sealed is None else base64.b64encode(sealed).decode()


def bytes_to_base64(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its byte values in base64, for a JSON document on its way into SQL."""
    return {
        key: base64.b64encode(value).decode() if isinstance(value, (bytes, memoryview)) else value
        for key, value in row.items()
    }


def open_text(sealed: bytes | memoryview | None, context: str) -> str | None:
    """Decrypt what `seal_text` made."""
    return None if sealed is None else key_ring().open(bytes(sealed), context).decode()


def blind_index(value: str | None, context: str) -> bytes | None:
    """Blind index of a value, None for None and empty."""
    return key_ring().blind_indexes(value, context)[0] if value else None


def blind_indexes(value: str | None, context: str) -> list[bytes]:
    """All indexes a value may be found by: its own, and the old ones while an index key is being replaced."""
    return key_ring().blind_indexes(value, context) if value else []


def mask_id(number: str | None) -> str | None:
    """`370102********1234`; other documents keep their first and last two characters."""
    if not number:
        return None
    if len(number) == 18:
        return f"{number[:6]}********{number[-4:]}"
    return f"{number[:2]}{'*' * max(len(number) - 4, 3)}{number[-2:]}"


def mask_phone(phone: str | None) -> str | None:
    """`138****0000`; land lines keep their last two digits."""
    if not phone:
        return None
    if len(phone) == 11 and phone.startswith("1"):
        return f"{phone[:3]}****{phone[-4:]}"
    return f"{'*' * max(len(phone) - 2, 3)}{phone[-2:]}"


def mask_name(name: str) -> str:
    """`王**`: the family name alone."""
    return name[:1] + "*" * max(len(name) - 1, 1)
