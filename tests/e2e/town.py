"""What the tests know of the demo town, asked of the service as its committee sees it."""

from dataclasses import dataclass, field
from typing import Any

from app.demo import TOWN_COMMUNITY
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
