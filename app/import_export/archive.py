"""Telling what a file is before anything parses it, and refusing what would break the reader.

An `.xlsx` is a zip of XML: a few kilobytes can say "two gigabytes of cells", and one stray cell in the last corner
of a sheet makes a reader allocate the whole rectangle. Everything is measured here first, by inflating once.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.import_export.readings import UnreadableFile

MAX_FILE_BYTES = 256 * 1024 * 1024
MAX_INFLATED_BYTES = 2048 * 1024 * 1024
MAX_ROWS = 1_048_576
"""As many as a sheet can have: a district in one file."""
MAX_COLUMNS = 1_000
MAX_EXTENT = 24_000_000
"""Cells of the rectangle a sheet spans: a full sheet of 22 columns."""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# cells that hold something; self-closed ones carry only a colour or a border, often down to the last row
_CELL = re.compile(rb"<(?:\w+:)?c\s[^>]*?\br\s*=\s*[\"']([A-Za-z]{1,7})([0-9]{1,9})[\"'][^>]*?(?<!/)>")
_ANY_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
_PLACED_CELL = re.compile(rb"<(?:\w+:)?c\s[^>]*?\br\s*=")
_ROW_OR_CELL = re.compile(rb"<(?:\w+:)?(?:row\b(?:[^>]*?\sr\s*=\s*[\"']([0-9]{1,9})[\"'])?|(c)[\s/>])")
# the form nearly all writers use: `<c r="A1" …>`, quickly told apart from all others
_ODD_START = re.compile(rb"<c[>/\t\n\r\f\v]")
_PLAIN_LETTERS = re.compile(rb'<c r="([A-Z]{1,7})[0-9]{1,9}"[^>/]*>')
_PLAIN_ROW = re.compile(rb'<c r="[A-Z]{1,7}([0-9]{1,9})"[^>/]*>')
_PLAIN_EMPTY = re.compile(rb'<c r="[A-Z]{1,7}[0-9]{1,9}"[^>/]*/>')
_CHUNK = 1 << 20


@dataclass(slots=True)
class Measure:
    """What an `.xlsx` holds: cell tags of all sheets, whether its serial dates count from 1904, and its files' inflated
    bytes; `plain_sizes`: of those whose cells are all in the form nearly all writers use."""

    cell_tags: int
    is_1904: bool
    sizes: dict[str, int] = field(default_factory=dict)
    plain_sizes: dict[str, int] = field(default_factory=dict)


def too_large(what_zh: str, what_en: str) -> UnreadableFile:
    """The refusal for tables past the bounds."""
    return UnreadableFile(
        "table_too_large",
        f"表格太大：{what_zh}。请拆成几个文件再导入。",
        f"The table is too large: {what_en}. Please split it into several files.",
    )


def corrupt() -> UnreadableFile:
    """The refusal for files that begin like a workbook and are none."""
    return UnreadableFile(
        "file_unreadable",
        "文件已损坏或不是表格，无法打开。请用 Excel 或 WPS 另存为 .xlsx 后再试。",
        "The file is damaged or not a table. Save it again as .xlsx with Excel or WPS and retry.",
    )


def kind_of(content: bytes) -> str:
    """`xlsx` or `text`; raises UnreadableFile for what is recognisably neither, with the way out."""
    if len(content) > MAX_FILE_BYTES:
        raise too_large(f"超过 {MAX_FILE_BYTES >> 20} MB", f"more than {MAX_FILE_BYTES >> 20} MB")
    if not content.strip(b"\0 \t\r\n"):
        raise UnreadableFile("file_empty", "文件是空的。", "The file is empty.")
    if content.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise UnreadableFile(
                "file_password",
                "文件有密码保护。请先取消密码，再重新导入。",
                "The file is protected by a password. Remove the password and import it again.",
            )
        raise UnreadableFile(
            "file_legacy",
            "这是旧格式(.xls 或 .et)。请用 Excel 或 WPS 另存为 .xlsx 后再导入。",
            "This is an old format (.xls or .et). Save it as .xlsx with Excel or WPS and import that.",
        )
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "xlsx"
    head = content[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<html", b"<!doctype html", b"<table", b"<?xml", b"<meta")):
        raise UnreadableFile(
            "file_legacy",
            "这是网页或 XML 格式的表格。请用 Excel 或 WPS 打开，另存为 .xlsx 后再导入。",
            "This is a table saved as a web page or XML. Open it in Excel or WPS, save as .xlsx and import that.",
        )
    if head.startswith((b"%pdf", b"\x89png", b"\xff\xd8\xff", b"rar!", b"7z\xbc\xaf", b"gif8", b"{\\rtf")):
        raise corrupt()
    return "text"


def measure(content: bytes, max_rows: int = MAX_ROWS) -> Measure:
    """Inflate an `.xlsx` once, within bounds; raises UnreadableFile when it is broken, too large or no workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            names = {member.filename for member in members}
            if "xl/workbook.xml" not in names:
                raise corrupt()
            budget = MAX_INFLATED_BYTES
            found = Measure(0, False)
            for member in members:
                if member.flag_bits & 1:
                    raise corrupt()
                # whatever its name: which member is a sheet is said in the file itself
                extent = _Extent(max_rows)
                size = 0
                for chunk in inflate(content, member):
                    size += len(chunk)
                    budget -= len(chunk)
                    if budget < 0:
                        raise too_large("解压后的内容过大", "its contents are too large when unpacked")
                    extent.read(chunk)
                    if member.filename == "xl/workbook.xml":
                        found.is_1904 = (
                            found.is_1904 or re.search(rb"date1904\s*=\s*[\"'](?:1|true)", chunk) is not None
                        )
                found.cell_tags += extent.tags
                found.sizes[member.filename] = size
                if extent.is_plain:
                    found.plain_sizes[member.filename] = size
            return found
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, NotImplementedError, OSError) as error:
        raise corrupt() from error


def inflate(content: bytes, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """The member's bytes as they really are: a header may claim to be smaller than what a reader will inflate."""
    at = member.header_offset
    if content[at : at + 4] != b"PK\x03\x04":
        raise zipfile.BadZipFile
    start = at + 30 + int.from_bytes(content[at + 26 : at + 28], "little")
    start += int.from_bytes(content[at + 28 : at + 30], "little")
    raw = content[start : start + member.compress_size]
    if member.compress_type == zipfile.ZIP_STORED:
        yield raw
    elif member.compress_type == zipfile.ZIP_DEFLATED:
        inflater = zlib.decompressobj(-15)
        pending = raw
        while not inflater.eof:
            chunk = inflater.decompress(pending, _CHUNK)
            pending = inflater.unconsumed_tail
            if not chunk:
                break
            yield chunk
    else:
        raise zipfile.BadZipFile


class _Extent:
    """The rectangle of a sheet's filled cells, seen chunk by chunk."""

    def __init__(self, max_rows: int) -> None:
        self.max_rows = max_rows
        self.rows = 0
        self.columns = 0
        self.tags = 0
        self.is_plain = True
        self._tail = b""
        self._row = 0
        self._column = 0

    def read(self, chunk: bytes) -> None:
        data = self._tail + chunk
        cut = data.rfind(b"<")
        cut = len(data) if cut < 0 or len(data) - cut > 4096 else cut
        seen, self._tail = data[:cut], data[cut:]
        if not self._read_plain(seen):
            self.is_plain = False
            self._read_any(seen)
        if self.rows > self.max_rows:
            raise too_large(f"一张工作表最多 {self.max_rows} 行", f"a sheet may have {self.max_rows} rows")
        if self.columns > MAX_COLUMNS or self.rows * self.columns > MAX_EXTENT:
            raise too_large("列数过多，或在很远的地方有多余的内容", "too many columns, or something stands far outside")

    def _read_plain(self, seen: bytes) -> bool:
        """Take cells that are all in the form nearly all writers use, which can be counted; False when not all are."""
        if b":c " in seen or b":c>" in seen or b":c/" in seen or _ODD_START.search(seen):
            return False
        tags = seen.count(b'<c r="')
        letters = _PLAIN_LETTERS.findall(seen)
        empty = len(_PLAIN_EMPTY.findall(seen)) if b"/>" in seen else 0
        if tags != seen.count(b"<c ") or tags != len(letters) + empty:
            return False
        self.tags += tags
        self._reach({*letters}, {*_PLAIN_ROW.findall(seen)})
        return True

    def _read_any(self, seen: bytes) -> None:
        tags = len(_ANY_CELL.findall(seen))
        if tags != len(_PLACED_CELL.findall(seen)):
            self._count_unplaced(seen)
        self.tags += tags
        cells = _CELL.findall(seen)
        self._reach({letters for letters, _ in cells}, {row for _, row in cells})

    def _reach(self, letters: set[bytes], rows: set[bytes]) -> None:
        """Filled cells stand in these columns and rows."""
        self.columns = max(self.columns, *map(_column_number, letters), 0)
        self.rows = max(self.rows, *map(int, rows), 0)

    def _count_unplaced(self, seen: bytes) -> None:
        """Cells that do not say where they are stand one after the other."""
        for match in _ROW_OR_CELL.finditer(seen):
            if match[2]:
                self._column += 1
                self.columns = max(self.columns, self._column)
            else:
                self._row = int(match[1]) if match[1] else self._row + 1
                self._column = 0
                self.rows = max(self.rows, self._row)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
