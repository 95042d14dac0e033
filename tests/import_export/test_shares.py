"""A file read in shares, in processes beside each other, gives what one reader of the whole file gives."""

import random
from dataclasses import astuple
from datetime import date

import pytest

from app.core.resident_id import check_character
from app.import_export.readings import DwellingRow
from app.import_export.roster import RosterReader

TODAY = date(2026, 9, 1)
HEAD = "社区,楼号,单元,门牌号,姓名,与户主关系,性别,身份证号,联系电话,备注"


def roster(seed: int, communities: int = 6) -> list[str]:
    """A district's list, grouped by community: numbers that stand twice in one community or in two, wrong numbers and
    phones, vacant doors, totals."""
    draw = random.Random(seed)
    lines = [HEAD]
    for community in range(communities):
        for door in range(draw.randrange(1, 12)):
            for person in range(draw.choice((1, 2, 3))):
                digits = f"379999{draw.choice(('19550203', '20010917'))}{draw.randrange(60):03d}"
                number = draw.choice((digits + check_character(digits),) * 6 + ("", digits + "?", f"{digits[:6]}"))
                lines.append(
                    f"社区{community},{1 + door // 6}号楼,1单元,{door % 6 + 1}01,甲{community}{door}{person},"
                    f"{'户主' if person == 0 else '子'},{draw.choice('男女')},{number},"
                    f"{draw.choice(('13800000001', '', '12'))},{draw.choice(('', '独居老人', '租住'))}"
                )
        if draw.random() < 0.4:
            lines.append(f"社区{community},1号楼,1单元,901,空房,,,,,")
    return [*lines, "合计,6,1,99,99,,,,,"]


def reader_of(lines: list[str]) -> RosterReader:
    return RosterReader("\n".join(lines).encode(), "区.csv", today=TODAY)


def told(reader: RosterReader, doors: list[DwellingRow]) -> object:
    return sorted(map(astuple, doors), key=lambda door: door[10]), reader.problems, reader.counts, reader.plain_count


@pytest.mark.parametrize("seed", range(12))
def test_shares_give_what_the_whole_gives(seed: int) -> None:
    lines = roster(seed)
    whole = reader_of(lines)
    expected = told(whole, [door for doors in whole.doors() for door in doors])
    joined = reader_of(lines)
    shares = joined.shares(3)
    assert len(shares) == 3
    read, doors = [], []
    for share in shares:
        alone = reader_of(lines)
        doors += [door for its in alone.share_doors(share) for door in its]
        read.append(alone.share_read())
    doors += joined.join(read)
    assert told(joined, doors) == expected


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [*lines, lines[1]],
        lambda lines: [*lines, ",,,,续页,,,,,"],
        lambda lines: [lines[0], *[line[line.index(",") :] for line in lines[1:]]],
        lambda lines: [*lines[:5], "5号楼,,,,,,,,,", *lines[5:]],
    ],
    ids=["a community comes again", "a row without place", "no community", "a heading between"],
)
def test_a_list_whose_rows_hang_together_is_not_shared(change: object) -> None:
    lines = roster(3)
    assert reader_of(lines).shares(2) != []
    assert reader_of(change(lines)).shares(2) == []  # type: ignore[operator]
