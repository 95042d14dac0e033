"""What became of each code: certain things are done, all else is asked, and answers are read back."""

import pytest

from app.adoption.mapping import MappingUnreadableError, read_mapping, write_mapping
from app.adoption.plan import Known, Listed, Part, Plan, make_plan
from app.core.area_code import ancestors_of, level_of

CITY = ("370100000000", "济南市")
ZHANGQIU, TOWN, VILLAGE = ("370181000000", "章丘市"), ("370181001000", "明水街道"), ("370181001001", "明水社区")
LIXIA, JIEFANG = ("370102000000", "历下区"), ("370102001000", "解放路街道")
PLACE, OTHER = ("370102001001", "历山社区"), ("370102001002", "青后社区")
OLD = [CITY, ZHANGQIU, TOWN, VILLAGE, LIXIA, JIEFANG, PLACE, OTHER]


def plan(
    new: list[tuple[str, str]],
    answers: dict[str, list[Part]] | None = None,
    *,
    doors: int = 5,
    old: list[tuple[str, str]] = OLD,
) -> Plan:
    """The plan from what was to what a list says."""
    known = [Known(c, n, level_of(c), (ancestors_of(c) or [None])[-1], doors) for c, n in old]
    listed = [Listed(c, n, level_of(c), (ancestors_of(c) or [None])[-1]) for c, n in new]
    return make_plan(known, listed, answers or {})


def renamed(old: tuple[str, str], new: tuple[str, str]) -> list[tuple[str, str]]:
    """The old list with one line replaced."""
    return [new if one == old else one for one in OLD]


def test_the_same_list_says_nothing_new() -> None:
    made = plan(OLD)
    assert (made.is_empty, made.is_ready, made.unchanged) == (True, True, len(OLD))


def test_another_name_under_the_same_code_is_a_new_name() -> None:
    made = plan(renamed(PLACE, (PLACE[0], "历山路社区")))
    assert [(old.name, new.name) for old, new in made.renamed] == [("历山社区", "历山路社区")]
    assert made.is_ready


def test_another_code_for_the_same_name_in_the_same_town_is_certain() -> None:
    made = plan(renamed(PLACE, ("370102001009", "历山社区")))
    assert [(old.code, new.code) for old, new in made.moved] == [(PLACE[0], "370102001009")]
    assert (made.added, made.is_ready) == ([], True)


DISTRICT_NEW = [
    CITY, ("370114000000", "章丘区"), ("370114001000", "明水街道"), ("370114001001", "明水社区"),
    LIXIA, JIEFANG, PLACE, OTHER,
]  # fmt: skip


def test_a_district_under_another_code_and_name_is_asked_and_what_is_in_it_follows_the_answer() -> None:
    asked = plan(DISTRICT_NEW)
    assert [(q.old.code, q.candidates) for q in asked.questions] == [(ZHANGQIU[0], ("370114000000 章丘区 (1/1)",))]
    assert not asked.is_ready
    made = plan(DISTRICT_NEW, {ZHANGQIU[0]: [Part("370114000000")]})
    moves = {old.code: new.code for old, new in made.moved}
    assert moves == {ZHANGQIU[0]: "370114000000", TOWN[0]: "370114001000", VILLAGE[0]: "370114001001"}
    assert made.is_ready


def test_what_is_gone_without_a_namesake_is_asked() -> None:
    made = plan([one for one in OLD if one != OTHER])
    assert [q.old.code for q in made.questions] == [OTHER[0]]
    assert not made.is_ready
    # where nothing is registered the code may end unanswered
    assert plan([one for one in OLD if one != OTHER], doors=0).is_ready


def test_a_code_that_another_place_may_have_got_is_asked() -> None:
    made = plan([*renamed(PLACE, (PLACE[0], "泺源社区")), ("370102001008", "历山社区")])
    assert [(q.old.code, q.why) for q in made.questions] == [(PLACE[0], "reused")]
    assert not made.renamed


def test_answers_merge_and_divide() -> None:
    without = [one for one in OLD if one != OTHER]
    made = plan(without, {OTHER[0]: [Part(PLACE[0])]})
    assert [(old.code, new.code) for old, new in made.merged] == [(OTHER[0], PLACE[0])]
    two = [*without, ("370102001011", "青后一社区"), ("370102001012", "青后二社区")]
    parts = [Part("370102001011", "building", "|3"), Part("370102001012")]
    made = plan(two, {OTHER[0]: parts})
    assert [(old.code, list(said)) for old, said in made.split] == [(OTHER[0], parts)]
    assert (made.added, made.is_ready) == ([], True)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({OTHER[0]: [Part("370102001077")]}, "the list has no 370102001077"),
        ({OTHER[0]: [Part("370102001000")]}, "is no community"),
        ({OTHER[0]: [Part("-")]}, "cannot just end"),
        ({OTHER[0]: [Part(PLACE[0], "building", "|3")]}, "where the rest goes"),
        ({"370102001099": [Part(PLACE[0])]}, "not in force"),
        ({LIXIA[0]: [Part(LIXIA[0], "compound", "x"), Part(ZHANGQIU[0])]}, "only communities are divided"),
    ],
)
def test_an_answer_that_cannot_be_is_said(answers: dict[str, list[Part]], said: str) -> None:
    made = plan([one for one in OLD if one != OTHER], answers)
    assert any(said in problem for problem in made.problems), made.problems
    assert not made.is_ready


def test_a_part_of_a_list_is_not_taken_for_all_of_it() -> None:
    many = [CITY, LIXIA, JIEFANG, *((f"370102001{n:03d}", f"第{n}社区") for n in range(1, 40))]
    made = plan([CITY, LIXIA, JIEFANG, many[3]], doors=0, old=many)
    assert any("--under" in problem for problem in made.problems)


def test_the_mapping_file_is_read_back_as_it_was_answered() -> None:
    asked = plan(DISTRICT_NEW)
    text = write_mapping(asked.questions, {OTHER[0]: [Part(PLACE[0], "compound", "东院"), Part(OTHER[0])]}, {})
    assert read_mapping(text) == {OTHER[0]: [Part(PLACE[0], "compound", "东院"), Part(OTHER[0])]}
    answered = text.replace(",370181", "").replace(
        f"{ZHANGQIU[0]},章丘市,district,5,,", f"{ZHANGQIU[0]},章丘市,district,5,370114000000,"
    )
    assert read_mapping(answered)[ZHANGQIU[0]] == [Part("370114000000")]
    for wrong in ("a,b\n1,2\n", f"old_code,new_code,by\n{OTHER[0]},{PLACE[0]},halves\n", "old_code,new_code\n1,2\n"):
        with pytest.raises(MappingUnreadableError):
            read_mapping(wrong)
