"""`pioneer areas adopt`: it tells, asks, reads the answers back, and then does it."""

import asyncio
from pathlib import Path

from sqlalchemy import text

from app.core.db import EVERYWHERE, Database
from tests.adoption.test_adoption import NEW_A, NEW_DISTRICT, moved_district
from tests.makers import make_homes, stair_of
from tests.personas import DISTRICT, A
from tests.test_cli import Run, run

__all__ = ["run"]


async def test_the_list_is_told_asked_answered_and_adopted(run: Run, database: Database, tmp_path: Path) -> None:
    await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
    file, mapping = tmp_path / "2027.csv", tmp_path / "2027.mapping.csv"
    file.write_text("code,name\n" + "".join(f"{code},{name}\n" for code, name in moved_district().items()), "utf-8")
    words = ("areas", "adopt", str(file), "--under", "9901", "--on", "2027-01-01", "--wait", "0")

    told = await asyncio.to_thread(run, *words)
    assert told.exit_code == 1, told.output
    assert f"asked: {DISTRICT} 东区 (2 doors)" in told.output
    assert "1 questions are in" in told.output.replace("\n", " ")
    asked = mapping.read_text("utf-8")
    assert f"{NEW_DISTRICT} 东新区" in asked

    mapping.write_text(
        asked.replace(f"{DISTRICT},东区,district,2,,", f"{DISTRICT},东区,district,2,{NEW_DISTRICT},"), "utf-8"
    )
    told = await asyncio.to_thread(run, *words)
    assert told.exit_code == 0, told.output
    assert f"moved: {A} 甲社区 -> {NEW_A} 甲社区 (2 doors)" in told.output
    assert "Nothing has been changed" in told.output

    done = await asyncio.to_thread(run, *words, "--apply")
    assert (done.exit_code, "the rows of 2 communities went along" in done.output) == (0, True), done.output
    async with database.session(EVERYWHERE) as session:
        ended = await session.execute(
            text("SELECT valid_to::text, successor_code FROM division WHERE code = :a"), {"a": A}
        )
        assert ended.one() == ("2027-01-01", NEW_A)
        begun = await session.scalar(text("SELECT valid_from::text FROM division WHERE code = :a"), {"a": NEW_A})
        assert begun == "2027-01-01"
    again = await asyncio.to_thread(run, *words, "--apply")
    assert (again.exit_code, "the rows of 0 communities" in again.output) == (0, True), again.output


async def test_what_is_no_list_or_no_mapping_is_refused(run: Run, tmp_path: Path) -> None:
    file, mapping = tmp_path / "list.csv", tmp_path / "list.mapping.csv"
    file.write_text("a,b\n1,2\n", "utf-8")
    assert (await asyncio.to_thread(run, "areas", "adopt", str(file))).exit_code == 2
    file.write_text("code,name\n990100000000,示例市\n9901,又一个\n", "utf-8")
    assert "a list is adopted whole" in (await asyncio.to_thread(run, "areas", "adopt", str(file))).output
    file.write_text("code,name\n990100000000,示例市\n", "utf-8")
    mapping.write_text("old_code,new_code\nx,y\n", "utf-8")
    refused = await asyncio.to_thread(run, "areas", "adopt", str(file))
    assert (refused.exit_code, "twelve digits" in refused.output) == (2, True)
