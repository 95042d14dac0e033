"""A large sheet in slices: workbooks with some of its rows each, for a reader that takes a sheet whole.

The reader keeps every cell twice over for a moment, a hundred bytes each: of a million rows at once that is more than a
gigabyte. A slice is the same workbook with a part of the sheet's rows; everything else is taken over as it is packed.
Only sheets in the form nearly all writers use are cut, in which each cell says where it stands.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from app.import_export.archive import Measure, inflate

LARGE_SHEET = 128 << 20
"""Inflated bytes from which a sheet is cut."""
SLICE = 64 << 20
"""Inflated bytes of rows in a slice: it is held two or three times over, and the rows before it are counted once more
with each."""
_MOST_WITH_STRINGS = 4
"""Slices of a workbook with a large table of strings, which is read anew with each."""
_LARGE_STRINGS = 16 << 20
_MOST_HEAD = 16 << 20
_STRINGS = "xl/sharedStrings.xml"
_RELATIONSHIP = re.compile(rb"<Relationship\s[^>]*>")
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s[^>]*>")
_BEGIN, _END, _ROW_END = b"<sheetData>", b"</sheetData>", b"</row>"
_NO_TAIL = b"</sheetData></worksheet>"


class CannotSliceError(Exception):
    """The sheet is not in the form that is cut: it is read whole."""


@dataclass(frozen=True, slots=True)
class _Member:
    """A file in an archive as it is packed."""

    name: str
    method: int
    crc: int
    size: int
    packed: list[bytes]


class Slicer:
    """The large sheets of a workbook, by their place among its sheets, and their rows a slice at a time."""

    def __init__(self, content: bytes, size: Measure) -> None:
        self._content = content
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            self._infos = {info.filename: info for info in archive.infolist()}
        large = {name: bytes_ for name, bytes_ in size.plain_sizes.items() if bytes_ >= LARGE_SHEET}
        self.places = {place: name for place, name in self._places().items() if name in large} if large else {}
        self._sizes = large
        has_strings = size.sizes.get(_STRINGS, 0) >= _LARGE_STRINGS
        self._most = _MOST_WITH_STRINGS if has_strings else None
        self._tails: dict[str, bytes] = {}

    def frame(self) -> bytes:
        """The workbook with no rows in its large sheets; what stands behind their rows is known when they are read.
        Raises CannotSliceError."""
        return self._with({name: list(self._ends(name)) for name in self.places.values()})

    def slices(self, place: int) -> Iterator[bytes]:
        """Workbooks that hold the rows of a large sheet one after the other. Raises CannotSliceError."""
        name = self.places[place]
        wanted = max(SLICE, self._sizes[name] // self._most + 1) if self._most else SLICE
        head, _ = self._ends(name)
        pieces: list[bytes] = []
        held = 0
        for piece in self._rows(name):
            pieces.append(piece)
            held += len(piece)
            if held >= wanted:
                cut = piece.rfind(_ROW_END)
                if cut < 0:
                    continue
                pieces[-1], rest = piece[: cut + len(_ROW_END)], piece[cut + len(_ROW_END) :]
                piece = b""
                yield self._taken(name, head, pieces)
                pieces, held = [rest], len(rest)
        yield self._taken(name, head, pieces)

    def _taken(self, name: str, head: bytes, pieces: list[bytes]) -> bytes:
        """A slice of these pieces, which are let go of."""
        slice_ = self._with({name: [head, *pieces, _NO_TAIL]})
        pieces.clear()
        return slice_

    def _places(self) -> dict[int, str]:
        """The file of each sheet, by its place in the workbook; none where that is not plainly said."""
        if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= self._infos.keys():
            return {}
        targets = {
            _attribute(one, rb"Id"): _attribute(one, rb"Target")
            for one in _RELATIONSHIP.findall(self._read("xl/_rels/workbook.xml.rels"))
        }
        names = [targets.get(_attribute(one, rb"\w+:id"), "") for one in _SHEET.findall(self._read("xl/workbook.xml"))]
        files = [name.removeprefix("/") if name.startswith("/") else f"xl/{name}" for name in names]
        return dict(enumerate(files)) if len(set(files)) == len(files) else {}

    def _read(self, name: str) -> bytes:
        return b"".join(inflate(self._content, self._infos[name]))

    def _rows(self, name: str) -> Iterator[bytes]:
        """What stands between the marks of a sheet's rows; what stands behind them is kept."""
        chunks = inflate(self._content, self._infos[name])
        _, data = _until_rows(chunks)
        # a mark may stand across two chunks
        margin = max(len(_END), len(_ROW_END))
        while (end := data.find(_END)) < 0:
            cut = max(len(data) - margin, 0)
            if cut:
                yield data[:cut]
            chunk = next(chunks, None)
            if chunk is None:
                raise CannotSliceError
            data = data[cut:] + chunk
        yield data[:end]
        tail = b"".join([data[end:], *chunks])
        if _BEGIN in tail:
            raise CannotSliceError
        self._tails[name] = tail

    def _ends(self, name: str) -> tuple[bytes, bytes]:
        """What stands before and behind the rows of a sheet, with the marks; behind them what is known of it."""
        head, _ = _until_rows(inflate(self._content, self._infos[name]))
        return head, self._tails.get(name, _NO_TAIL)

    def _with(self, replaced: dict[str, list[bytes]]) -> bytes:
        """The workbook with other contents of some of its sheets; pictures and the other large sheets stay behind."""
        others = set(self.places.values()) - replaced.keys()
        members = [
            self._packed(info)
            for name, info in self._infos.items()
            if name not in replaced and name not in others and name.endswith((".xml", ".rels"))
        ]
        for name, pieces in replaced.items():
            crc = 0
            for piece in pieces:
                crc = zlib.crc32(piece, crc)
            members.append(_Member(name, 0, crc, sum(map(len, pieces)), pieces))
        return _archive(members)

    def _packed(self, info: zipfile.ZipInfo) -> _Member:
        at = info.header_offset
        start = at + 30 + sum(struct.unpack_from("<HH", self._content, at + 26))
        packed = self._content[start : start + info.compress_size]
        return _Member(info.filename, info.compress_type, info.CRC, info.file_size, [packed])


def _until_rows(chunks: Iterator[bytes]) -> tuple[bytes, bytes]:
    """What stands before a sheet's rows, with the mark, and the beginning of the rows."""
    data = b""
    for chunk in chunks:
        data += chunk
        at = data.find(_BEGIN)
        if at >= 0:
            return data[: at + len(_BEGIN)], data[at + len(_BEGIN) :]
        if len(data) > _MOST_HEAD:
            break
    raise CannotSliceError


def _attribute(tag: bytes, name: bytes) -> str:
    found = re.search(rb"\s" + name + rb"\s*=\s*[\"']([^\"']*)[\"']", tag)
    return found[1].decode("utf-8", "replace") if found else ""


def _archive(members: list[_Member]) -> bytes:
    """A zip of members as they are packed; one that is never larger than a slice needs no more than 32 bits."""
    parts: list[bytes] = []
    directory: list[bytes] = []
    at = 0
    for one in members:
        name, packed = one.name.encode(), sum(map(len, one.packed))
        # the names are in UTF-8
        common = struct.pack("<HHHHHIIIHH", 20, 0x800, one.method, 0, 33, one.crc, packed, one.size, len(name), 0)
        parts += [b"PK\x03\x04", common, name, *one.packed]
        directory.append(b"PK\x01\x02\x14\x00" + common + struct.pack("<HHHII", 0, 0, 0, 0, at) + name)
        at += 30 + len(name) + packed
    listed = b"".join(directory)
    count = len(members)
    return b"".join([*parts, listed, b"PK\x05\x06", struct.pack("<HHHHIIH", 0, 0, count, count, len(listed), at, 0)])
