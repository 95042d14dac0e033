"""Community A with something of every kind in it, and requests made from the OpenAPI document that ask for it."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any

from app.core.db import Database
from app.core.ids import new_id
from app.main import create_app
from tests.duplicates.pairs import door, person, register, search
from tests.makers import (
    care_visit,
    command,
    door_visit,
    jpeg,
    make_area,
    make_homes,
    make_post,
    make_round,
    push,
    report_by_code,
    sealed_file,
    stair_of,
    take_photo,
)
from tests.personas import PASSWORD, A, C, Caller

PUBLIC = {("POST", "/auth/token"), ("POST", "/auth/invitations/accept")}
"""What somebody not signed in may do."""

ROSTER = "姓名,楼号,单元,房号,与户主关系\n王甲,8,1,101,户主\n"


@dataclass(slots=True)
class Ground:
    """What stands in A: real values by the name of the field or parameter that takes them."""

    values: dict[str, Any]
    held_area: str
    words: set[str] = field(default_factory=set)
    """Ids, names and codes that belong to A and to nobody else."""


async def finished(call: Caller, import_id: str) -> None:
    """Wait until an import has been done: what it still writes would be laid at somebody's door."""
    for _ in range(1_200):
        status = (await call("committee", "GET", f"/imports/{import_id}")).json()["status"]
        if status not in ("queued", "running"):
            return
        await asyncio.sleep(0.05)
    raise TimeoutError(status)


async def fill(call: Caller, database: Database) -> Ground:
    """Put doors, people, areas, posts, a round, visits, an import and figures into A."""
    homes = await make_homes(database, A, stair_of("3", "2", ["101", "102", "201"]))
    area = await make_area(call, homes[:1], "worker")
    free = await make_area(call, homes[1:2], None)
    post = await make_post(call, title="甲社区的岗")
    await call("worker2", "POST", f"/posts/{post['id']}/claim")
    round_id = await make_round(call, A, "committee")
    hot = [{"resident_id": str(homes[0].residents[0]), "status": "symptoms", "temperature_c": 38}]
    visit = door_visit(homes[0], round_id, "answered_part", persons=hot, note="甲的事")
    care = care_visit(homes[0], note="甲的话")
    times = [f"2026-02-01T{hour}:00:00+08:00" for hour in ("09", "14", "19")]
    missed = [door_visit(homes[1], round_id, "no_answer", recorded_at=at) for at in times]
    await push(call, "worker", visit, care, *missed)
    notices = {"community_code": A, "round_id": round_id, "household_ids": [str(homes[1].id)]}
    printed = await call("committee", "POST", "/door-notices/print", json=notices)
    url = printed.json()["items"][0]["url"]
    assert (await report_by_code(call, url, "102", "甲", note="甲的自报")).status_code == 200
    self_report = (await call("committee", "GET", "/self-reports", params={"community_code": A})).json()["items"][0]
    photo = (await take_photo(call, "worker", homes[0], jpeg(), visit_id=visit["id"])).json()
    paper = {"responsibility_area_id": area["id"], "round_id": round_id}
    sheet = (await call("committee", "POST", "/walk-sheets", json=paper)).json()
    follow_up = (await call("committee", "GET", "/follow-ups", params={"community_code": A})).json()["items"][0]
    await call("committee", "PATCH", f"/households/{homes[0].id}", json={"note": "甲的备注"})
    old = {"household_id": str(homes[0].id), "base_version": area["version"], "changes": {"note": "甲的旧话"}}
    (edit,) = await push(call, "worker", command("people.update_household", old))
    assert edit["code"] == "edit_conflict", edit
    late = {"household_id": str(homes[1].id), "resident_id": str(homes[0].residents[0]), "reason": "moved_away"}
    (flagged,) = await push(call, "worker", command("people.mark_resident_gone", late))
    assert flagged["code"] == "person_moved", flagged
    conflicts = (await call("committee", "GET", "/conflicts", params={"community_code": A})).json()["items"]
    files = {"file": ("甲的名册.csv", ROSTER.encode(), "text/csv")}
    form = {"kind": "roster", "community_code": A, "dry_run": "true"}
    made = await call("committee", "POST", "/imports", data=form, files=files)
    assert made.status_code == 202, made.text
    await finished(call, made.json()["id"])
    (guest, *_) = await make_homes(database, C, stair_of("1", "1", ["101"]))
    sent = {"resident_ids": [str(guest.residents[0])], "community_code": A, "place": "甲的新住处"}
    answer = await call("far_committee", "POST", f"/households/{guest.id}/send", json=sent)
    assert answer.status_code == 201, answer.text
    transfer_id = answer.json()["items"][0]["id"]
    body = {"source": "甲的数", "as_of": "2026-01-31", "items": [{"community_code": A, "households": 2}]}
    assert (await call("client", "PUT", "/headcounts/expected", json=body)).is_success
    twice = [person("甲重名") for _ in range(3)]
    for room, one in zip(("801", "802", "803"), twice, strict=True):
        await register(database, door(room, one))
    await search(database)
    pairs = (await call("committee", "GET", "/duplicates", params={"area": A})).json()["items"]
    merge = {"keep": pairs[0]["sides"][0]["person"]["resident_id"]}
    merged = await call("committee", "POST", f"/duplicates/{pairs[0]['id']}/merge", json=merge)
    assert merged.is_success, merged.text
    await search(database)
    (pair,) = (await call("committee", "GET", "/duplicates", params={"area": A})).json()["items"]
    kept = {"division_code": A, "name": "甲的模板", "title": "甲的轮次"}
    template = (await call("committee", "POST", "/round-templates", json=kept)).json()
    place = {"division_code": A, "place": {"name": "甲的险地"}, "from_on": "2026-01-10", "to_on": "2026-02-20"}
    risk_area = (await call("committee", "POST", "/risk-areas", json=place)).json()
    values = {
        "risk_area_id": risk_area["id"], "from_on": "2026-01-10", "to_on": "2026-02-20",
        "code": A, "community_code": A, "division_code": A, "area": A, "parent": A,
        "household_id": str(homes[0].id), "resident_id": str(homes[0].residents[0]),
        "area_id": free["id"], "responsibility_area_id": area["id"], "post_id": post["id"],
        "follow_up_id": follow_up["id"], "flagged_edit_id": flagged["id"], "walk_sheet_id": sheet["id"],
        "photo_id": photo["id"], "photo": jpeg(), "recorded_at": "2026-02-01T10:00:00+08:00",
        "self_report_id": self_report["id"],
        "template_id": template["id"], "days_of": round_id, "household_count": 1, "minutes": 1,
        "visit_id": visit["id"], "care_visit_id": care["id"], "round_id": round_id, "round": round_id,
        "import_id": made.json()["id"],
        "conflict_id": conflicts[0]["id"], "transfer_id": transfer_id,
        "resident_ids": [str(homes[0].residents[0])], "into_household_id": str(homes[1].id),
        "account_id": str(call.personas["worker"].id), "api_client_id": str(call.personas["client"].id),
        "assign_to": str(call.personas["worker"].id), "household_ids": [str(homes[1].id)],
        "duplicate_id": pair["id"], "merge_id": merged.json()["id"],
        "keep": pair["sides"][0]["person"]["resident_id"], "gone": pair["sides"][1]["person"]["resident_id"],
        "dwelling_ids": [str(homes[2].dwelling_id)], "add_dwelling_ids": [str(homes[2].dwelling_id)],
        "stairs": [{"building": "3", "stair": "2"}],
        "building": "3", "kind": None, "q": "甲", "source": "甲的数",
        "commands": [door_visit(homes[2], round_id), care_visit(homes[2], community_code=A)],
        "file": ("r.csv", ROSTER.encode(), "text/csv"),
        "login": "somebody-new", "phone": "13900000001", "password": PASSWORD, "old_password": "not-the-password",
        "new_password": "another-good-password", "role": "grid_worker", "starts_on": "2026-02-01",
        "ends_on": "2026-02-02", "starts_at": "2027-01-01T08:00:00+08:00", "ends_at": "2027-01-01T09:00:00+08:00",
        "device_id": str(call.personas["worker"].device_id), "account": "worker",
        "exported_at": "2026-02-01T18:00:00+08:00",
        "effective_on": "2036-01-01",
        "taken_at": "2026-02-01T10:00:00+08:00",
        "id": str(new_id()), "as_of": "2026-01-30", "room": "901", "building_": "9",
        "mapping": {}, "client_id": "a-new-system", "name": "外来的名字", "title": "外来的题目", "note": "外来的话",
    }  # fmt: skip
    words = {
        A,
        "甲社区",
        "甲的事",
        "甲的话",
        "甲的备注",
        "甲的旧话",
        conflicts[0]["id"],
        transfer_id,
        "甲的新住处",
        "甲的数",
        "甲的名册",
        "甲社区的岗",
        "甲的模板",
        "甲的轮次",
        template["id"],
        "甲的险地",
        risk_area["id"],
        "甲重名",
        pair["id"],
        flagged["id"],
        merged.json()["id"],
        area["id"],
        free["id"],
    }
    words |= {
        self_report["id"],
        sheet["id"],
        sheet["code"],
        photo["id"],
        "甲的自报",
        url,
        follow_up["id"],
        post["id"],
        round_id,
        made.json()["id"],
        visit["id"],
        care["id"],
    }
    for home in homes:
        words |= {str(home.id), str(home.dwelling_id), f"甲32{home.room}", *map(str, home.residents)}
    for name in ("committee", "worker", "worker2"):
        words |= {str(call.personas[name].id), str(call.personas[name].device_id)}
    return Ground(values, area["id"], words)


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of the OpenAPI document."""

    method: str
    path: str
    about: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


DOCUMENT = create_app().openapi()


def operations() -> list[Operation]:
    """All of `/api/v1` that needs somebody to be signed in; those that take things away last."""
    found = [
        Operation(method.upper(), path.removeprefix("/api/v1"), about)
        for path, methods in DOCUMENT["paths"].items()
        if path.startswith("/api/v1")
        for method, about in methods.items()
    ]
    return [o for o in found if (o.method, o.path) not in PUBLIC]


class ValueMissingError(Exception):
    """The document asks for something that stands nowhere in `Ground.values`: name a value for it in `fill`."""


def _shape(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema or "anyOf" in schema or "allOf" in schema:
        if "$ref" in schema:
            schema = DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
        else:
            schema = (schema.get("anyOf") or schema["allOf"])[0]
    return schema


def _made(name: str, schema: dict[str, Any], values: dict[str, Any]) -> Any:
    """A value for a field: the ground's own where there is one, else the plainest that fits."""
    schema = _shape(schema)
    choices = schema.get("enum") or ([schema["const"]] if "const" in schema else None)
    if values.get(name) is not None and not (choices and values[name] not in choices):
        return values[name]
    if choices:
        return choices[0]
    kind = schema.get("type")
    if kind == "object":
        wanted = schema.get("properties", {})
        needed = set(schema.get("required", ()))
        needed |= {key for key in wanted if values.get(key) is not None}
        return {key: _made(key, part, values) for key, part in wanted.items() if key in needed}
    if kind == "array":
        return [_made(name, schema["items"], values)] if schema.get("minItems", 1) else []
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    if kind == "boolean":
        return True
    if kind == "string" and not schema.get("format") and not schema.get("pattern"):
        return "外" * max(schema.get("minLength", 1), 1)
    raise ValueMissingError(f"{name}: {schema}")


def request_for(operation: Operation, values: dict[str, Any], *, only_needed: bool = False) -> dict[str, Any]:
    """Arguments for a call that asks for what stands in `values`: the path filled in, query and body."""
    about = operation.about
    if operation.path.startswith("/api-clients/"):
        values = values | {"account_id": values["api_client_id"]}
    path, query = operation.path, {}
    for parameter in about.get("parameters", []):
        name = parameter["name"]
        if parameter["in"] == "path":
            if name not in values:
                raise ValueMissingError(f"{operation}: {name}")
            path = path.replace(f"{{{name}}}", str(values[name]))
        elif parameter["required"] or (not only_needed and values.get(name) is not None and name != "code"):
            query[name] = _made(name, parameter["schema"], values)
    assert not re.search(r"[{}]", path), path
    request: dict[str, Any] = {"path": path, "params": query}
    content = about.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        request["json"] = _made("", content["application/json"]["schema"], values)
    elif "multipart/form-data" in content:
        fields = _made("", content["multipart/form-data"]["schema"], values | {"mapping": None})
        request["files"] = {"file": fields.pop("file")}
        request["data"] = {k: str(v).lower() if isinstance(v, bool) else v for k, v in fields.items()}
    elif "image/jpeg" in content:
        request["content"] = values["photo"]
    elif "application/octet-stream" in content:
        file = {"device_id": str(new_id()), "account": values["account"], "exported_at": "2026-02-01T18:00:00+08:00"}
        request["content"] = sealed_file(file | {"commands": values["commands"]})
    elif content:
        raise ValueMissingError(f"{operation}: {set(content)}")
    return request


def as_if_from(community: str, values: dict[str, Any]) -> dict[str, Any]:
    """The same, naming another community beside A's ids: the way round a check of the code alone."""
    named = dict.fromkeys(("code", "community_code", "division_code", "area", "parent"), community)
    commands = [c | {"community_code": community} for c in values["commands"]]
    return values | named | {"commands": commands, "id": str(new_id())}


OTHERS = {"far_committee": C, "far_worker": C, "far_client": C, "far_street": C, "other_committee": "990101001002"}
"""Callers of other areas, and a community each has."""
