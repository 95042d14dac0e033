"""Keys at work: AES-GCM for values, HMAC for equality without reading, and masks for answers.

A sealed value is `len(key id) | key id | 12-byte nonce | ciphertext`, so keys can change while old
values stay readable.
"""

import base64
import hashlib
import hmac
import os
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.config import get_settings


class KeyRing:
    """Data keys by id; the first one writes, all read; `index` is for blind indexes alone."""

    def __init__(self, text: str) -> None:
        pairs = [pair.split(":", 1) for pair in text.split(",") if pair]
        keys = {name.strip(): base64.b64decode(value) for name, value in pairs}
        if any(len(key) != 32 for key in keys.values()) or "index" not in keys or len(keys) < 2:
            raise ValueError("data keys: want id:base64 of 32 bytes each, and one named index")
        self.index_key = keys.pop("index")
        self.current = next(iter(keys))
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}

    def seal(self, plain: bytes, context: str) -> bytes:
        """Encrypt under the current key; `context` (table.column) must be the same on opening."""
        nonce = os.urandom(12)
        name = self.current.encode()
        return bytes([len(name)]) + name + nonce + self._ciphers[self.current].encrypt(nonce, plain, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """Decrypt; raises `cryptography.exceptions.InvalidTag` when changed, KeyError when the key is gone."""
        end = 1 + sealed[0]
        cipher = self._ciphers[sealed[1:end].decode()]
        return cipher.decrypt(sealed[end : end + 12], sealed[end + 12 :], context.encode())

    def blind_index(self, value: str, context: str) -> bytes:
        """16 bytes that are equal when the values are equal, and say nothing else."""
        return hmac.new(self.index_key, f"{context}\x00{value}".encode(), hashlib.sha256).digest()[:16]


@lru_cache
def key_ring() -> KeyRing:
    """The key ring of this process."""
    return KeyRing(get_settings().key_ring)


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
    return key_ring().blind_index(value, context) if value else None


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
