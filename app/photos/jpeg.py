"""Reading a JPEG's outline (ITU-T T.81, annex B) without decoding it, and leaving out what is not the picture.

Cameras write the place, the time and their own number into segments beside the picture (Exif, XMP, IPTC, comments), and
some put more behind its end. What is kept are the segments a decoder needs; there is nowhere for the rest to be.
"""

from dataclasses import dataclass

_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
# quantization and Huffman tables, restart interval, arithmetic conditioning, number of lines
_TABLES = frozenset({0xDB, 0xC4, 0xDD, 0xCC, 0xDC})
# baseline, extended and progressive frames; lossless and hierarchical ones no browser shows
_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
# how colours are to be read; 14 bytes without anything of the picture's maker
_ADOBE, _ADOBE_BYTES = 0xEE, 12
_RESTARTS = frozenset(range(0xD0, 0xD8))


class NotAJpegError(ValueError):
    """The bytes are not a whole JPEG that a browser shows."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG with nothing in it but the picture, and its size in pixels."""

    content: bytes
    width: int
    height: int


def read_picture(data: bytes) -> Picture:
    """The picture alone. Raises NotAJpegError."""
    if data[:3] != b"\xff\xd8\xff":
        raise NotAJpegError("start")
    kept = bytearray(data[:2])
    size: tuple[int, int] | None = None
    has_scan = False
    at = 2
    while True:
        marker, at = _marker(data, at)
        if marker == _END:
            break
        length = int.from_bytes(data[at : at + 2], "big")
        segment = data[at : at + length]
        if length < 2 or len(segment) < length:
            raise NotAJpegError("segment")
        at += length
        if marker in _FRAMES:
            if size is not None or length < 8:
                raise NotAJpegError("frame")
            size = (int.from_bytes(segment[5:7], "big"), int.from_bytes(segment[3:5], "big"))
        is_adobe = marker == _ADOBE and segment[2:7] == b"Adobe"
        if is_adobe:
            segment = (_ADOBE_BYTES + 2).to_bytes(2, "big") + segment[2 : 2 + _ADOBE_BYTES]
            is_adobe = len(segment) == _ADOBE_BYTES + 2
        if is_adobe or marker in _TABLES or marker in _FRAMES or marker == _SCAN:
            kept += bytes((0xFF, marker)) + segment
        elif marker < 0xE0 and marker != 0xFE:
            raise NotAJpegError("marker")
        if marker == _SCAN:
            end = _end_of_scan(data, at)
            kept += data[at:end]
            at = end
            has_scan = True
    if size is None or not has_scan or 0 in size:
        raise NotAJpegError("empty")
    return Picture(bytes(kept) + b"\xff\xd9", *size)


def _marker(data: bytes, at: int) -> tuple[int, int]:
    """The marker that stands here and where its segment begins; fill bytes may stand before it."""
    if at >= len(data) or data[at] != 0xFF:
        raise NotAJpegError("marker")
    while at < len(data) and data[at] == 0xFF:
        at += 1
    if at >= len(data) or data[at] == 0:
        raise NotAJpegError("marker")
    return data[at], at + 1


def _end_of_scan(data: bytes, at: int) -> int:
    """Where the coded data ends: at a marker that is no restart and no stuffed byte."""
    while (at := data.find(b"\xff", at)) >= 0 and at + 1 < len(data):
        if data[at + 1] == 0 or data[at + 1] in _RESTARTS:
            at += 2
        elif data[at + 1] == 0xFF:
            at += 1
        else:
            return at
    raise NotAJpegError("end")
