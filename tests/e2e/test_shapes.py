"""Real answers against the shapes that the OpenAPI document declares for them, strictly."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from detente.interop.found import Reading
from detente.node import shapes
from detente.node.picture import Picture
from detente.node.urgentroom import UrgentList, UrgentSaid


@pytest.fixture(scope="module")
def told(trio: Any, kit: Any) -> Any:
    """North and south with notices that clash, a cancelled one, a cease request."""
    for node, name, lon in ((trio.north, "S-1", 60), (trio.south, "S-2", 60)):
        kit.ok(
            *("notice", "file", node.dir, trio.save(kit.feature(name, lon, 3, text="plain words"))),
            *("--wait", "delivered"),
        )
    kit.ok("notice", "cancel", trio.south.dir, "S-2")
    kit.ok("cease", trio.north.dir, "--reason", "test", "--place", "here", "--exercise")
    return trio


AREA = {"type": "Point", "coordinates": [60, 3]}
READS: list[tuple[str, str, Any, type[msgspec.Struct]]] = [
    ("GET", "/api/v1/status", None, shapes.NodeStatus),
    ("GET", "/api/v1/notices", None, shapes.NoticeList),
    ("GET", "/api/v1/notices/north:S-1", None, shapes.NoticeDetail),
    ("GET", "/api/v1/notices/south:S-2", None, shapes.NoticeDetail),
    ("GET", "/api/v1/receipts/north:S-1", None, shapes.ReceiptList),
    ("GET", "/api/v1/conflicts", None, shapes.ConflictList),
    ("GET", "/api/v1/ceases", None, shapes.CeaseList),
    ("GET", "/api/v1/urgent", None, UrgentList),
    ("GET", "/api/v1/picture", None, Picture),
    ("POST", "/api/v1/emergencies", {"kind": "hit", "place": "35,5 36,2"}, shapes.ErrorBody),
    ("POST", "/api/v1/ceases/nope/reply", {"reply": "ceasing"}, shapes.ErrorBody),
    ("GET", "/api/v1/agreement", None, shapes.AgreementAnswer),
    ("GET", "/api/v1/agreement/policy", None, shapes.PolicyAnswer),
    ("GET", "/api/v1/events", None, shapes.EventList),
    ("GET", "/api/v1/notices/nope", None, shapes.ErrorBody),
    ("GET", "/api/v1/nothing", None, shapes.ErrorBody),
    ("POST", "/api/v1/notices", {"type": "Feature"}, shapes.ErrorBody),
    ("POST", "/api/v1/read", {"text": "353125N 0354716E 5NM"}, Reading),
    ("POST", "/api/v1/read", {"text": "35,5 36,2"}, shapes.ErrorBody),
    (
        "POST",
        "/api/v1/ask",
        {"area": {"type": "Feature", "geometry": AREA, "properties": {"radius_nm": 30}}},
        shapes.PriorNotices,
    ),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "shape"), READS, ids=[f"{m} {p}" for m, p, _, _ in READS]
)
def test_answer_is_of_the_shape_that_is_declared(
    told: Any, kit: Any, method: str, path: str, body: Any, shape: type[msgspec.Struct]
) -> None:
    """No member is missing, unknown or of another type than the document says."""
    if path.endswith("/ask"):
        body = {**body, "from": kit.at(-1000), "until": kit.at(1000)}
    with told.north.http() as client:
        answer = client.request(method, path, json=body)
    assert (answer.status_code >= 400) == (shape is shapes.ErrorBody), answer.text
    found = msgspec.convert(answer.json(), shape, strict=True)
    for name in ("notices", "conflicts", "ceases", "urgent", "events", "lines", "versions"):
        assert getattr(found, name, [None]), f"{name} is empty, so nothing was compared"


def test_answer_to_a_filing_is_of_the_shape_that_is_declared(told: Any, kit: Any) -> None:
    """Filing, amending and cancelling answer in one shape."""
    with told.north.http() as client:
        for path, body, amend in (
            ("/api/v1/notices", kit.feature("S-3", 60, 3), False),
            ("/api/v1/notices", kit.feature("S-3", 60.01, 3), True),
            ("/api/v1/notices/S-3/cancel", {"reason": "done"}, False),
        ):
            answer = client.post(path, json=body, params={"amend": True} if amend else {})
            assert answer.status_code == 201, answer.text
            msgspec.convert(answer.json(), shapes.FiledAnswer, strict=True)


def test_answers_to_urgent_matters_are_of_the_shape_that_is_declared(told: Any, kit: Any) -> None:
    """A request, an emergency and each answer to them answer in one shape, with the row as it is then."""

    def said(node: Any, path: str, **body: Any) -> UrgentSaid:
        with node.http() as client:
            answer = client.post(path, json=body)
        assert answer.status_code == 201, answer.text
        found = msgspec.convert(answer.json(), UrgentSaid, strict=True)
        assert found.urgent == found.rows[0]
        return found

    north, south = told.north, told.south
    cease = said(north, "/api/v1/ceases", reason="own people there", about="north:S-1").urgent
    crash = said(
        *(north, "/api/v1/emergencies"),
        kind="aircraft-down",
        place="353000N 0360000E",
        at=kit.at(0),
        exercise=True,
    ).urgent
    assert cease is not None
    assert cease.about is not None
    assert (cease.about.kind, cease.about.id, cease.exercise) == ("notice", "north:S-1", True)
    assert crash is not None
    assert crash.place is not None
    assert (crash.place.lat, crash.place.lon) == (35.5, 36.0)
    kit.until(
        lambda: (
            {cease.id, crash.id} <= {row["id"] for row in south.get("/api/v1/urgent")["urgent"]}
        ),
        "both arrive",
    )
    for path, body, status in (
        (f"ceases/{cease.id}/reply", {"reply": "ceasing", "text": "now"}, "ceasing"),
        (f"ceases/{cease.id}/effective", {"at": kit.at(0)}, "effective"),
        (f"emergencies/{crash.id}/reply", {"reply": "assisting"}, "answered"),
    ):
        found = said(south, f"/api/v1/{path}", **body)
        assert found.signed == ["north"]
        assert found.urgent is not None
        assert found.urgent.status == status
