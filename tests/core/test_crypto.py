"""What blind indexes are made of."""

import hmac

import pytest

from app.core.crypto import KeyRing


@pytest.mark.parametrize("value", ["", "379999198001010011", "x" * 200])
def test_a_blind_index_is_half_of_an_hmac(value: str) -> None:
    key = bytes(range(32))
    ring = KeyRing("1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,index:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    expected = hmac.digest(key, f"resident.id\x00{value}".encode(), "sha256")[:16]
    assert ring.blind_indexes(value, "resident.id") == [expected]
