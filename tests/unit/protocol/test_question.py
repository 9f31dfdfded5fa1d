"""The question: was there prior notice, and how far does this record know?"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from detente.airspace.area import Circle
from detente.errors import UsageError
from detente.protocol.question import LIMITS, ask
from detente.simulation.node import SimNode, converse
from detente.simulation.officer import random_notice
from detente.simulation.room import Room
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_NM, US_PER_S, format_time, parse_time

HOUR_US = 3600 * US_PER_S


def area(lon: float = 35.0, lat: float = 35.0, size: float = 0.2) -> bytes:
    """A box as GeoJSON."""
    ring = [
        [lon - size, lat - size],
        [lon + size, lat - size],
        [lon + size, lat + size],
        [lon - size, lat + size],
        [lon - size, lat - size],
    ]
    return msgspec.json.encode({"type": "Polygon", "coordinates": [ring]})


class Scene:
    """North notified A-1 over 35N 35E, an hour from ten minutes on; south holds it."""

    def __init__(self) -> None:
        self.room = Room()
        self.north, self.south = self.room.nodes()
        converse(self.north, self.south)
        now_us = self.room.timeline.now_us
        drawn = random_notice("A-1", self.room.chance, now_us, exercise=False)
        self.start_us, self.end_us = now_us + HOUR_US // 6, now_us + HOUR_US
        center = (35 * NANODEG_PER_DEG, 35 * NANODEG_PER_DEG)
        piece = msgspec.structs.replace(
            drawn.pieces[0],
            geometry=Circle(center, 2 * TENTH_MM_PER_NM),
            start_us=self.start_us,
            end_us=self.end_us,
        )
        self.notice = msgspec.structs.replace(drawn, pieces=(piece,))
        self.file()

    def file(self, *, amend: bool = False) -> None:
        """File it, or again."""
        self.north.run(
            lambda core: core.file_notice(
                self.notice, (), self.north.now_us(), officer="o", desk="d", amend=amend
            )
        )

    def talk(self) -> None:
        """Exchange until nothing is under way."""
        for _ in range(3):
            self.room.wait(3)
            converse(self.north, self.south)

    def ask(
        self,
        node: SimNode,
        *,
        where: bytes | None = None,
        from_us: int | None = None,
        until_us: int | None = None,
        by: str | None = None,
    ) -> Any:
        """Ask a node."""
        return ask(
            node.running,
            where or area(),
            self.start_us if from_us is None else from_us,
            self.end_us if until_us is None else until_us,
            by,
            node.now_us(),
        )


def test_ask_receiver_and_maker_give_the_same_lead_time() -> None:
    """Both records answer from the receipt: who was told what how long before."""
    scene = Scene()
    scene.talk()
    (own,) = scene.ask(scene.north)["notices"]
    (theirs,) = scene.ask(scene.south)["notices"]
    assert own["id"] == theirs["id"] == "north:A-1"
    assert own["received"] == theirs["received"]
    received_us = parse_time(own["received"])
    assert own["lead_time_s"] == theirs["lead_time_s"] == (scene.start_us - received_us) / US_PER_S
    assert own["received_by"] == theirs["received_by"] == ["south"]
    assert own["state"] == "live"


def test_ask_notice_not_yet_received_has_no_lead_time() -> None:
    """A notice that nobody has acknowledged proves no warning."""
    scene = Scene()
    (row,) = scene.ask(scene.north)["notices"]
    assert row["received"] is None
    assert row["lead_time_s"] is None


@pytest.mark.parametrize("where", [area(40.0), area(35.0, 45.0)])
def test_ask_elsewhere_finds_nothing(where: bytes) -> None:
    """A notice of another place is no notice of this one."""
    scene = Scene()
    scene.talk()
    assert scene.ask(scene.south, where=where)["notices"] == []


def test_ask_another_time_finds_nothing() -> None:
    """Nor is one of another time."""
    scene = Scene()
    scene.talk()
    found = scene.ask(scene.south, from_us=scene.end_us + US_PER_S, until_us=scene.end_us + HOUR_US)
    assert found["notices"] == []


def test_ask_by_another_party_finds_nothing() -> None:
    """The question can name who should have told."""
    scene = Scene()
    scene.talk()
    assert scene.ask(scene.south, by="south")["notices"] == []
    assert len(scene.ask(scene.south, by="north")["notices"]) == 1


def test_ask_replaced_and_cancelled_versions_are_shown_as_such() -> None:
    """What was notified and later withdrawn was notified all the same."""
    scene = Scene()
    scene.talk()
    scene.file(amend=True)
    scene.talk()
    scene.north.run(
        lambda core: core.cancel_notice(
            "north:A-1", "done", scene.north.now_us(), officer="o", desk="d"
        )
    )
    scene.talk()
    for node in (scene.north, scene.south):
        rows = scene.ask(node)["notices"]
        assert [(row["version"], row["state"]) for row in rows] == [
            (1, "replaced"),
            (2, "cancelled"),
        ]
        assert all(row["superseded"] for row in rows)


def test_ask_before_heads_were_compared_says_that_nothing_is_known() -> None:
    """None in the record proves nothing while it is unknown what is still on the way."""
    room = Room()
    north = room.node(0)
    found = ask(north.running, area(), 0, 1, None, north.now_us())
    assert found["notices"] == []
    assert found["complete_until"] is None
    assert list(LIMITS) == found["limits"][: len(LIMITS)]
    assert "not known" in found["limits"][len(LIMITS)]


def test_ask_says_until_when_the_record_is_complete() -> None:
    """After an exchange the answer reaches to the peer's last word, and says when it ends too soon."""
    scene = Scene()
    scene.talk()
    found = scene.ask(scene.south)
    complete_us = parse_time(found["complete_until"])
    assert complete_us <= scene.south.now_us()
    assert complete_us == scene.south.running.link("north").synced_us
    assert any("more may still come" in text for text in found["limits"])
    earlier = scene.ask(scene.south, from_us=0, until_us=US_PER_S)
    assert not any("more may still come" in text for text in earlier["limits"])


def test_ask_complete_until_outlives_a_restart() -> None:
    """How far the record was complete is durable to a few seconds, and never grows by being restarted."""
    scene = Scene()
    scene.talk()
    before = parse_time(scene.ask(scene.south)["complete_until"])
    scene.south.crash()
    scene.south.start()
    scene.room.wait(600)
    after = parse_time(scene.ask(scene.south)["complete_until"])
    assert before - 10 * US_PER_S <= after <= before


def test_ask_about_ourselves_is_complete_until_now() -> None:
    """Of what we said ourselves we know all."""
    scene = Scene()
    found = scene.ask(scene.north, by="north")
    assert found["complete_until"] == format_time(scene.north.now_us())


def test_ask_names_what_waits_unsigned() -> None:
    """A filing that no line has carried yet is named, and is no notice."""
    room = Room()
    north = room.node(0)
    notice = random_notice("A-7", room.chance, north.now_us(), exercise=True)
    north.run(lambda core: core.file_notice(notice, (), north.now_us(), officer="o", desk="d"))
    found = ask(north.running, area(), 0, 1, None, north.now_us())
    assert any("north:A-7" in text for text in found["limits"])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"from_us": 5, "until_us": 5}, "interval-empty"),
        ({"by": "mars"}, "party-unknown"),
        ({"where": b"{"}, "area-malformed"),
        ({"where": b'{"type":"Polygon","coordinates":[]}'}, None),
    ],
)
def test_ask_question_that_makes_no_sense_is_refused(
    changes: dict[str, Any], code: str | None
) -> None:
    """The asker's mistake is named, not answered with an empty list."""
    scene = Scene()
    with pytest.raises(UsageError) as caught:
        scene.ask(scene.north, **changes)
    assert code is None or caught.value.code == code
