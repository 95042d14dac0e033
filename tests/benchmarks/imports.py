"""What an import costs end to end beside a bare COPY of the very rows it has written, into the same tables.

`python -m tests.benchmarks.imports` (part of `make bench`). `BENCH_RESIDENTS` invented residents (20,000), as
csv and as xlsx, through the job as the service runs it: reading, checking, sealing, comparing, writing, trail and
tallies. Then it is undone, as its job does that, and has to leave nobody. The baseline is one connection as the
tables' owner, with indexes, foreign keys and no row-level security. Memory is that of the import's own processes
together.
"""

import asyncio
import csv
import io
import os
import random
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

import psycopg
from sqlalchemy import text

from app.areas import service as areas
from app.areas.service import DivisionEntry
from app.audit.service import SYSTEM
from app.auth.models import Role
from app.auth.service import Actor
from app.cli.database import migrate_to_head
from app.core.clock import today
from app.core.db import EVERYWHERE, Database, Scope, start_embedded
from app.core.ids import new_id
from app.core.resident_id import check_character
from app.hooks import install_hooks
from app.import_export import running, service
from app.import_export.apart import run_apart
from app.import_export.models import ImportJob, ImportKind, ImportStatus
from app.import_undo import undoing
from tests.benchmarks.__main__ import RUN

RESIDENTS = int(os.environ.get("BENCH_RESIDENTS", "20000"))
KINDS = os.environ.get("BENCH_KINDS", "csv,xlsx").split(",")
CITY = "990100000000"
AIMS = {"csv": 0.45, "xlsx": 0.30}
HEAD = [
    "社区代码",
    "社区",
    "小区",
    "楼号",
    "单元",
    "门牌号",
    "姓名",
    "与户主关系",
    "性别",
    "出生日期",
    "身份证号",
    "联系电话",
    "工作单位",
    "备注",
]
TABLES = ("dwelling", "household", "resident")
_FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰红建国志文秀云海燕梅林峰雪晨宇轩涵怡梓欣浩然子墨"


def code_of(number: int) -> str:
    """The code of the so many-th community."""
    return f"9901{1 + number // 400:02d}{1 + number // 20 % 20:03d}{1 + number % 20:03d}"


def place_of(number: int) -> tuple[str, str]:
    """Code and name of the so many-th community."""
    return code_of(number), f"示例{number}社区"


def rows(
    count: int, place_of: Callable[[int], tuple[str, str]] = place_of, district: str = "379999"
) -> Iterator[list[str]]:
    """People, each with a number of their own of a district that is none; about one in two thousand has a broken one.

    `place_of`: code and name of the so many-th community that people live in.
    """
    draw = random.Random(7)
    for n in range(count):
        door, place = divmod(n, 3)
        community, at = divmod(door, 360)
        day, order = divmod(n * 7_919 % 14_000_000, 500)  # no two numbers are the same
        born, sex = date(1940, 1, 1) + timedelta(days=day), draw.randrange(2)
        digits = f"{district}{born:%Y%m%d}{order * 2 + sex:03d}"
        number = digits + (check_character(digits) if n % 2_000 else "?")
        name = draw.choice(_FAMILY) + "".join(draw.sample(_GIVEN, draw.choice((1, 2, 2))))
        yield [
            *place_of(community), f"泉景{at // 120}期", f"{1 + at // 36}号楼",
            f"{1 + at // 12 % 3}单元", f"{1 + at // 2 % 6}0{1 + at % 2}", name, ("户主", "配偶", "子")[place],
            "女男"[sex], f"{born:%Y-%m-%d}", number, f"13{n:09d}", "", "独居老人" if n % 50 == 0 else "",
        ]  # fmt: skip


def write_csv(file: Path, people: Iterator[list[str]]) -> None:
    """People as Excel saves them."""
    with file.open("w", newline="", encoding="utf-8-sig") as out:
        csv.writer(out).writerow(HEAD)
        csv.writer(out).writerows(people)


def write_xlsx(file: Path, people: Iterator[list[str]]) -> None:
    """People as a workbook of text cells, written without a library: a million rows take those minutes."""
    letters = "ABCDEFGHIJKLMN"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
        book.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        )
        office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        package = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship '
        book.writestr(
            "_rels/.rels", f'{package}Id="r" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            f'{package}Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        )
        main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        book.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="全市" sheetId="1" r:id="r1"/></sheets>'
            "</workbook>",
        )
        with (
            book.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as raw,
            io.TextIOWrapper(raw, "utf-8") as sheet,
        ):
            sheet.write(f'<worksheet xmlns="{main}"><sheetData>')
            for at, row in enumerate([HEAD], 1):
                sheet.write(_xml(letters, at, row))
            for at, row in enumerate(people, 2):
                sheet.write(_xml(letters, at, row))
            sheet.write("</sheetData></worksheet>")


def _xml(letters: str, at: int, row: list[str]) -> str:
    cells = (
        f'<c r="{letter}{at}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
        for letter, value in zip(letters, row, strict=True)
        if value
    )
    return f'<row r="{at}">{"".join(cells)}</row>'


class Memory(threading.Thread):
    """The most that the processes below this one have held together, in MB: what they share counts once."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0.0
        self.is_over = False

    def run(self) -> None:
        while not self.is_over:
            self.peak = max(self.peak, sum(_held(pid) for pid in _below(os.getpid())) / 1024)
            time.sleep(0.2)


def _below(pid: int) -> list[int]:
    try:
        own = [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    ours = [one for one in own if b"app.cli" in _command(one)]
    return [*ours, *(below for one in ours for below in _below(one))]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _held(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


async def import_file(url: str, file: Path, city: str = CITY) -> tuple[dict[str, int], float]:
    """Bring a file as a city's desk and run its job as the service does; answers its counts and the seconds."""
    content = file.read_bytes()  # noqa: ASYNC240 - nobody else is served here
    database = Database(url)
    actor = Actor(new_id(), "基准", "person", None, ((Role.CITY, city[:4]),))
    async with database.session(actor.scope) as session:
        job = await service.create_import(
            session, actor, kind=ImportKind.ROSTER, file_name=file.name, content=content,
            community_code=city, dry_run=False, mapping=None,
        )  # fmt: skip
    started = time.perf_counter()
    async with database.session(EVERYWHERE) as session:
        found = await session.get(ImportJob, job.id)
        assert found is not None
        found.status = ImportStatus.RUNNING
    await run_apart(database.url, job.id)
    seconds = time.perf_counter() - started
    async with database.session(EVERYWHERE) as session:
        found = await session.get(ImportJob, job.id)
        assert found is not None
        assert found.status == ImportStatus.DONE, (found.status, found.counts)
        counts = dict(found.counts)
    await database.close()
    return counts, seconds


async def prepare(url: str) -> None:
    """The division tree of the invented city."""
    entries = {CITY: DivisionEntry(CITY, "示例市", "city", None)}
    for number in range(RESIDENTS // 1080 + 1):
        code = code_of(number)
        district, town = code[:6].ljust(12, "0"), code[:9].ljust(12, "0")
        entries[district] = DivisionEntry(district, "区", "district", CITY)
        entries[town] = DivisionEntry(town, "街道", "town", district)
        entries[code] = DivisionEntry(*place_of(number), "community", town)
    database = Database(url)
    async with database.session(EVERYWHERE) as session:
        await areas.put_divisions(session, list(entries.values()), today())
    await database.close()


async def undo_import(url: str) -> float:
    """Undo the only import there is as its job does; answers the seconds."""
    database = Database(url)
    started = time.perf_counter()
    async with database.session(EVERYWHERE) as session:
        parts = "SELECT community_code, import_id FROM import_written WHERE undone_version = 0 ORDER BY 1"
        waiting = (await session.execute(text(parts))).all()
    for community, import_id in waiting:
        async with database.session(Scope((CITY[:4],))) as session:
            await undoing.take_back(session, SYSTEM, community, import_id)
    seconds = time.perf_counter() - started
    async with database.session(EVERYWHERE) as session:
        left = await session.scalar(text("SELECT sum(resident_count) FROM community_clock"))
        assert left == 0, left
    await database.close()
    return seconds


def copy_again(url: str) -> tuple[float, float]:
    """Take the rows out, undo their import, empty the tables, and COPY the same rows back; answers the seconds of the
    undo and of the COPY."""
    with psycopg.connect(url, autocommit=True) as connection:
        columns = {}
        for table in TABLES:
            found = connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER' "
                "ORDER BY ordinal_position", (table,),
            ).fetchall()  # fmt: skip
            columns[table] = ", ".join(name for (name,) in found)
            with (
                (RUN / table).open("wb") as out,
                connection.cursor().copy(f"COPY {table} ({columns[table]}) TO STDOUT".encode()) as copy,
            ):
                for block in copy:
                    out.write(block)
        connection.execute("CHECKPOINT")
        undone = asyncio.run(undo_import(url))
        empty(connection)
        connection.execute("CHECKPOINT")
        started = time.perf_counter()
        with connection.transaction():
            for table in TABLES:
                with (
                    (RUN / table).open("rb") as rows,
                    connection.cursor().copy(f"COPY {table} ({columns[table]}) FROM STDIN".encode()) as copy,
                ):
                    while block := rows.read(1 << 20):
                        copy.write(block)
        seconds = time.perf_counter() - started
        empty(connection)
        return undone, seconds


def empty(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Forget everybody."""
    connection.execute("TRUNCATE dwelling, household, resident CASCADE")
    connection.execute("UPDATE community_clock SET dwelling_count = 0, household_count = 0, resident_count = 0")


def main() -> None:
    """Measure and print."""
    install_hooks()
    running.LARGE_BYTES = 0
    url = start_embedded(RUN / "imports")
    migrate_to_head(url)
    asyncio.run(prepare(url))
    print(f"\nimport of {RESIDENTS:,} residents end to end, beside COPY of the same rows into the same tables")
    print(
        f"{'':>6} {'file MB':>8} {'import s':>9} {'COPY s':>8} {'ratio':>6} {'aim':>5} {'memory MB':>10} {'undo s':>7}"
    )
    for kind, write in (("csv", write_csv), ("xlsx", write_xlsx)):
        if kind not in KINDS:
            continue
        file = RUN / f"city.{kind}"
        write(file, rows(RESIDENTS))
        memory = Memory()
        memory.start()
        counts, seconds = asyncio.run(import_file(url, file))
        assert counts["created"] == RESIDENTS, counts
        memory.is_over = True
        memory.join()
        undone, bare = copy_again(url)
        size = file.stat().st_size / (1 << 20)
        print(
            f"{kind:>6} {size:>8.1f} {seconds:>9.1f} {bare:>8.1f} {bare / seconds:>6.2f} {AIMS[kind]:>5.2f} "
            f"{memory.peak:>10.0f} {undone:>7.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
