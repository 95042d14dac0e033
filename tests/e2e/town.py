"""What the tests know of the demo town, asked of the service as its committee sees it."""

import csv
from dataclasses import dataclass, field
from typing import Any

from app.core.clock import today
from app.demo import TOWN_COMMUNITY, Inventor
from tests.e2e.service import Service, signed_in


@dataclass(slots=True)
class Home:
    """A household behind a door of the town."""

    id: str
    building: str
    stair: str
    floor: int
    room: str
    head: str
    tags: list[str]
    members: list[str] = field(default_factory=list)

    @property
    def stair_title(self) -> str:
        """As the phone calls its stair."""
        return f"{self.building}号楼 {self.stair}单元"


def list_homes(service: Service, building: str, stair: str, community: str = TOWN_COMMUNITY) -> list[Home]:
    """The households of a stair from the ground up, with the names of their members."""
    with signed_in(service, "demo-committee") as committee:
        page: dict[str, Any] = committee.get(
            "/households", community_code=community, building=building, stair=stair, limit=500
        )
        homes = [
            Home(
                one["id"], one["building"], one["stair"], one["floor"], one["room"], one["head_name"], one["tags"],
                [r["name"] for r in committee.get(f"/households/{one['id']}/residents")["items"]],
            )
            for one in page["items"]
        ]  # fmt: skip
    return sorted(homes, key=lambda home: (home.floor, home.room))


def bring_thousand(service: Service) -> None:
    """Give `demo-worker2` an area of 1,000 households, by way of a roster; the service must be running."""
    file = service.folder / "thousand.csv"
    inventor = Inventor(1000, today())
    doors = list(inventor.compound("千户园", 5, 4, 25, 2))
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["小区", "楼栋", "单元", "房号", "姓名", "与户主关系", "性别", "身份证号码", "联系电话"])
        for door in doors:
            for household in door.households or [inventor.household()]:
                place = [door.compound, f"{door.building}号楼", f"{door.stair}单元", door.room]
                for person in household.persons:
                    sex = "男" if person.sex == 1 else "女"
                    rows.writerow([*place, person.name, person.relation, sex, person.id_number, person.phone or ""])
    assert "1,000 households" in service.must("import", "roster", str(file), "--community", TOWN_COMMUNITY)
    with signed_in(service, "demo-committee") as committee:
        accounts = committee.get("/accounts", community_code=TOWN_COMMUNITY)["items"]
        holder = next(one["id"] for one in accounts if one["login"] == "demo-worker2")
        committee.post(
            "/responsibility-areas",
            {
                "community_code": TOWN_COMMUNITY, "name": "千户园", "is_open": False, "assign_to": holder,
                "stairs": [{"compound": "千户园", "building": str(building)} for building in range(1, 6)],
            },
        )  # fmt: skip
