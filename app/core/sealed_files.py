"""Files sealed where there is no secret, to be opened here alone: HPKE (RFC 9180) for a key made of a data key.

A phone that is out of reach, or signed out for good, still has the public key it was given before. The private one is
derived from the data key of the same name, so keys need no place of their own, all services that share a ring open
the same files, and a file can be opened as long as its data key stays in the ring.

A sealed file is `HEAD`, the name of the key, a line feed, then what HPKE makes in one shot: the sender's point on
P-256 (65 bytes) and the AES-256-GCM ciphertext, which is bound to everything before it.
"""

from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.core.crypto import key_ring
from app.core.errors import Invalid

HEAD = b"pioneer-sealed-1\n"
_CURVE = ec.SECP256R1()
_SUITE = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_MAX_NAME = 256


class FileUnreadable(Invalid):
    """The file is none of ours, cut off or changed."""

    def __init__(self) -> None:
        super().__init__(
            "sealed_file_unreadable",
            "这不是手机导出的文件，或者文件不完整、被改动过；请重新导出。",
            "This is no file that a phone has sealed, or it is cut off or changed; have it exported again.",
        )


class FileKeyGone(Invalid):
    """The key the file was sealed for is not in the ring (any more)."""

    def __init__(self) -> None:
        super().__init__(
            "sealed_file_key_gone",
            "这个文件用的密钥这里没有（或已撤下），打不开；请联网后重新导出。",
            "The key this file was sealed for is not here (any more); have it exported again after a contact.",
        )


@lru_cache(maxsize=16)
def _private_key(data_key: bytes) -> ec.EllipticCurvePrivateKey:
    # 16 bytes more than the order has, so that the remainder favours no number (RFC 9380 §5.2)
    drawn = HKDF(SHA256(), length=48, salt=None, info=b"pioneer sealed files P-256").derive(data_key)
    return ec.derive_private_key(int.from_bytes(drawn) % (_CURVE.group_order - 1) + 1, _CURVE)


def public_key() -> tuple[str, bytes]:
    """The name of the key that writes now, and the point on P-256 (uncompressed) to seal files for."""
    ring = key_ring()
    name = ring.current
    public = _private_key(ring.keys.data_keys[name]).public_key()
    return name, public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def open_file(sealed: bytes) -> bytes:
    """What is in a sealed file. Raises FileUnreadable, FileKeyGone."""
    name, found, _ = sealed[len(HEAD) :][:_MAX_NAME].partition(b"\n")
    if not sealed.startswith(HEAD) or not found:
        raise FileUnreadable
    head = HEAD + name + found
    ring = key_ring()
    ring.refresh()
    try:
        key = ring.keys.data_keys[name.decode()]
    except (KeyError, UnicodeDecodeError):
        raise FileKeyGone from None
    try:
        return _SUITE.decrypt(memoryview(sealed)[len(head) :], _private_key(key), head)
    except InvalidTag:
        raise FileUnreadable from None
