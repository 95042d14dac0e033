"""A large import in the running service: in a process of its own, killed in the middle, and gone on with; and so its
undoing."""

import csv
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.demo import STREET, TOWN_COMMUNITY, VILLAGE
from tests.e2e.service import Client, Service, signed_in

SIZES = {TOWN_COMMUNITY: 3_000, VILLAGE: 5_000}


@pytest.fixture
def own_town(prepared_demo: Service, run_folder: Path) -> Iterator[Service]:
    service = prepared_demo.copy_to(run_folder / "imports", quick=True)
    service.start()
    yield service
    service.remove()


def street_file(folder: Path) -> Path:
    """A street's file, more than a megabyte of it."""
    file = folder / "street.csv"
    with file.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["社区代码", "小区", "楼号", "单元", "门牌号", "姓名", "与户主关系", "性别", "联系电话", "备注"])
        for code, size in SIZES.items():
            for n in range(size):
                door = n // 2
                place = [code, "新泉家园", f"{1 + door // 100}号楼", "1单元", f"{1 + door % 100 // 2}0{1 + door % 2}"]
                name = "人" + "".join(chr(0x4E00 + int(digit)) for digit in f"{n:05d}")
                rows.writerow([*place, name, "户主" if n % 2 == 0 else "子", "男", f"139{n:08d}", "备注" * 40])
    return file


def bring(street: Client, file: Path) -> str:
    form = {"kind": "roster", "community_code": STREET, "dry_run": "false"}
    answer = street.request("POST", "/imports", data=form, files={"file": (file.name, file.read_bytes())})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def settled(street: Client, import_id: str, until: Any, what: str = "") -> dict[str, Any]:
    """The import, or its `/undo`, as soon as `until` holds of it."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        job: dict[str, Any] = street.get(f"/imports/{import_id}{what}")
        if until(job):
            return job
        time.sleep(0.02)
    raise TimeoutError(job)


def registered(service: Service) -> dict[str, int]:
    count = "SELECT count(*) FROM dwelling d JOIN household h ON h.dwelling_id = d.id JOIN resident r "
    count += "ON r.household_id = h.id WHERE d.compound = '新泉家园' AND d.community_code = %s"
    return {code: service.count(count, code) for code in SIZES}


@contextmanager
def held_back(service: Service, community: str) -> Iterator[None]:
    """Nothing can be written for a community meanwhile, so that what writes there does not end."""
    with psycopg.connect(service.database_url) as connection:
        connection.execute("SELECT version FROM community_clock WHERE community_code = %s FOR UPDATE", (community,))
        yield


def wait_for_silence(service: Service) -> None:
    """Wait until nobody else is connected with the database: whoever was at work there has ended."""
    others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    deadline = time.monotonic() + 60
    while service.count(others):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def come_back(service: Service) -> None:
    """Start again, half a minute later."""
    service.change("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'")
    service.start()


class TestAServiceThatIsKilled:
    def test_leaves_each_community_whole_or_untouched_and_goes_on(self, own_town: Service, tmp_path: Path) -> None:
        with held_back(own_town, VILLAGE):
            with signed_in(own_town, "demo-street") as street:
                import_id = bring(street, street_file(tmp_path))
                seen = settled(street, import_id, lambda job: job["progress"]["done"] > 0)
                assert seen["status"] == "running"
            own_town.kill()
        wait_for_silence(own_town)  # its processes end with it
        before = registered(own_town)
        assert all(count in (0, SIZES[code]) for code, count in before.items()), before
        assert before[VILLAGE] == 0
        assert own_town.count("SELECT count(*) FROM import_job WHERE status = 'running'") == 1

        come_back(own_town)
        with signed_in(own_town, "demo-street") as street:
            done = settled(street, import_id, lambda job: job["status"] != "running")
        assert (done["status"], done["counts"]["created"]) == ("done", sum(SIZES.values()))
        assert done["communities"] == {"done": 2, "total": 2}
        assert registered(own_town) == SIZES
        for code in SIZES:
            entries = "SELECT count(*) FROM audit_entry WHERE action = 'import_roster' AND community_code = %s"
            assert own_town.count(entries, code) == 1

        with signed_in(own_town, "demo-street") as street:
            assert street.request("POST", f"/imports/{import_id}/undo").status_code == 202
            settled(street, import_id, lambda undo: undo["state"] != "queued", "/undo")
        own_town.kill()
        wait_for_silence(own_town)
        assert all(count in (0, SIZES[code]) for code, count in registered(own_town).items())
        come_back(own_town)
        with signed_in(own_town, "demo-street") as street:
            undo = settled(street, import_id, lambda undo: undo["state"] not in ("queued", "running"), "/undo")
        assert (undo["state"], undo["persons"], undo["kept"]) == ("undone", sum(SIZES.values()), 0)
        assert registered(own_town) == dict.fromkeys(SIZES, 0)
        assert own_town.pioneer("tally", "verify").returncode == 0
