"""Names: surnames as often as they are in the north of China, given names after the fashion of the years.

Initials and pinyin are put together from the characters' own, which is what `app.people.naming` makes of a name.
"""

from dataclasses import dataclass

from app.people.naming import initials, pinyin
from app.simulation.draws import Draw, Weighted

# Per thousand, as in Shandong: the first twenty are half of the people.
_SURNAMES = (
    "王89 张84 李80 刘69 孙39 陈33 赵31 杨27 徐25 马23 高21 周19 朱17 郭16 于16 吴15 宋14 韩13 胡12 林11 董11 "
    "许10 冯10 孟9 曹9 姜9 程8 郑8 何8 田8 吕8 崔7 任7 魏7 丁7 范7 苏6 袁6 贾6 潘5 谢5 梁5 唐5 卢5 杜5 尹5 侯5 邵5 "
    "石4 秦4 史4 付4 彭4 邹4 薛4 段4 孔4 曲4 罗4 郝3 黄3 沈3 毕3 蔡3 牛3 庄3 逄3 葛3 鲁3 陶3 解3 单2 曾2 亓9 纪2 岳2 "
    "戴2 窦2 盖2 靳2 翟2 尚2 边2 柴2 国1 綦1 闫3 夏3 江2 邢3 路2 安2 常2 白2 康1 颜2 耿2 焦1 展1 由1 欧阳1 尉迟1 司马1"
)
# For each sex and cohort: characters in fashion, and how often a given name is a single one.
_FASHIONS: dict[int, tuple[tuple[int, str, float], ...]] = {
    1: (
        (1955, "福德贵财生根旺祥富宝金玉庆志明国光荣传长永学文清成兴树森茂盛", 0.12),
        (1975, "建国军民卫东红兵胜利强志刚永福明华文革平安庆新春生伟忠义光辉振兴", 0.18),
        (1992, "伟强磊军洋勇杰涛超刚鹏辉斌波宁亮健凯峰飞旭东海龙志明建国文博", 0.45),
        (2005, "浩宇鑫磊杰俊豪晨阳博文志远子涵佳乐天翔泽旭嘉诚凯伦鹏程家明", 0.22),
        (3000, "子轩浩然宇泽梓睿奕辰沐宸锦程一诺俊熙博文嘉懿煜祺家铭皓轩景行", 0.06),
    ),
    2: (
        (1955, "秀英兰桂珍玉芝凤莲香云素花荣美淑爱华春梅月清翠芳贞巧", 0.1),
        (1975, "秀芳英玲兰红丽萍敏霞桂花爱华淑珍美云春梅凤霞艳燕青", 0.2),
        (1992, "芳娜静丽敏艳娟燕玲婷霞莉雪倩颖慧琳晶晓红文秀梅海萍佳", 0.42),
        (2005, "佳雨欣怡悦婷雪琪梦瑶思琪静文晓彤慧妍若曦诗雅欣然美琳", 0.16),
        (3000, "梓涵欣怡诗涵一诺雨桐可馨语嫣思彤若汐沐瑶佳宁安然芷若苡晴", 0.05),
    ),
}
_Syllable = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Name:
    """A name, and how it is searched for by letters."""

    text: str
    initials: str
    pinyin: str


def _syllable(text: str) -> _Syllable:
    return text, initials(text), pinyin(text)


def _weighted_surname(entry: str) -> tuple[_Syllable, float]:
    surname = entry.rstrip("0123456789")
    return _syllable(surname), float(entry[len(surname) :])


SURNAMES = Weighted([_weighted_surname(entry) for entry in _SURNAMES.split()])
# A character inside a name has no surname's reading: it is read behind one.
_GIVEN = {
    sex: [
        (until, [(char, initials("王" + char)[1:], pinyin("王" + char)[4:]) for char in chars], single)
        for until, chars, single in fashions
    ]
    for sex, fashions in _FASHIONS.items()
}


def name_person(draw: Draw, surname: _Syllable, sex: int, born: int) -> Name:
    """A given name behind a surname, after the fashion of the year somebody was born in."""
    chars, single = next((chars, single) for until, chars, single in _GIVEN[sex] if born < until)
    text, letters, sounds = surname
    is_single = draw.next() < single
    for _ in range(1 if is_single else 2):
        char = draw.one_of(chars)
        text, letters, sounds = text + char[0], letters + char[1], sounds + char[2]
    return Name(text, letters, sounds)
