"""Activity notices: whole or refused, and one canonical body."""

import json

import msgspec
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.airspace.altitude import parse_altitude
from detente.airspace.area import Area, Circle, Corridor
from detente.airspace.volume import build_volume
from detente.errors import DetenteError, UsageError
from detente.limits import PIECES_PER_NOTICE, REGION_CHARS, TEXT_CHARS, VERTICES_PER_NOTICE
from detente.notice.activity import (
    ACTIVITIES,
    PRECEDENCES,
    build_notice,
    check_name,
    parse_activity_body,
)

HOUR = 3600 * 10**6


def altitude(value, unit="ft", datum="MSL"):
    """An altitude."""
    return parse_altitude({"value": value, "unit": unit, "datum": datum}, field="x")


def piece(geometry=None, start=0, end=HOUR, edges="planar"):
    """A volume from the ground to FL 100."""
    return build_volume(
        geometry or Circle((35 * 10**9, 33 * 10**9), 10_000),
        edges,
        altitude(0),
        altitude(100, "FL", "STD"),
        start,
        end,
        field="piece",
    )


def notice(**changes):
    """A valid notice, with changes."""
    given_ = {"name": "A-1", "exercise": False, "activity": "patrol", "pieces": (piece(),)}
    return build_notice(**{**given_, **changes})


SQUARE = ((0, 0), (10**9, 0), (10**9, 10**9), (0, 10**9), (0, 0))
GEOMETRIES = [
    Circle((1, -2), 3),
    Corridor(((0, 0), (10**9, 1)), 5_000_000),
    Area(((SQUARE,),)),
    Area(((SQUARE,), (tuple((x + 2 * 10**9, y) for x, y in SQUARE),))),
]


@given(
    st.lists(st.sampled_from(GEOMETRIES), min_size=1, max_size=4),
    st.sampled_from(["planar", "geodesic"]),
    st.integers(-(10**15), 10**15),
    st.integers(1, 10**12),
    st.sampled_from([*ACTIVITIES, "balloon-race"]),
    st.sampled_from(PRECEDENCES),
    st.none()
    | st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Zl", "Zp"]),
        min_size=1,
        max_size=50,
    ).filter(str.strip),
)
@settings(max_examples=150, deadline=None)
def test_body_round_trips_through_canonical_json(
    geometries, edges, start, length, activity, precedence, text
):
    """parse(body(x)) == x, also after the bytes that are signed."""
    one = notice(
        pieces=tuple(piece(g, start, start + length, edges) for g in geometries),
        activity=activity,
        precedence=precedence,
        text=text,
        region=text,
    )
    body = json.loads(rfc8785.dumps(one.body()))
    assert parse_activity_body(body, name="A-1", exercise=False) == one
    assert rfc8785.dumps(
        parse_activity_body(body, name="x", exercise=True).body()
    ) == rfc8785.dumps(body)


def test_body_has_exactly_the_committed_fields():
    """Each field is committed by itself, so their names are part of the format."""
    assert set(notice().body()) == {"activity", "precedence", "pieces"}
    full = notice(region="Latakia coast", text="flare training")
    assert set(full.body()) == {"activity", "precedence", "pieces", "region", "text"}


def test_body_integers_fit_canonical_json():
    """Every number in a body is an integer within RFC 8785's 53 bits, at the limits too."""
    wide = piece(Circle((-180 * 10**9, 90 * 10**9), 2_000_000 * 10_000))
    rfc8785.dumps(notice(pieces=(wide,)).body())


@pytest.mark.parametrize(
    "change",
    [
        {"activity": None},
        {"activity": "Patrol"},
        {"activity": "x" * 33},
        {"precedence": "now"},
        {"precedence": ["flash"]},
        {"pieces": []},
        {"pieces": {}},
        {"pieces": [1]},
        {"pieces": [{}]},
        {"region": None},
        {"region": ""},
        {"text": 1},
        {"text": "x" * (TEXT_CHARS + 1)},
        {"region": "x" * (REGION_CHARS + 1)},
        {"text": "north\u202ehtuos"},
        {"text": "\x1b[2J"},
        {"text": "\ud800"},
        {"unknown": 1},
    ],
)
def test_body_from_a_hostile_peer_is_refused_by_name(change):
    """Whatever differs from the canonical body is refused with a field, never a crash."""
    with pytest.raises(UsageError) as error:
        parse_activity_body({**notice().body(), **change}, name="A-1", exercise=False)
    assert error.value.field


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_body_with_any_part_replaced_is_refused_or_rebuilt(data):
    """A body with any rubbish anywhere gives an error of ours or a valid notice, nothing else."""
    body = json.loads(rfc8785.dumps(notice(pieces=tuple(piece(g) for g in GEOMETRIES)).body()))
    spots = []

    def walk(value):
        keys = (
            value
            if isinstance(value, dict)
            else range(len(value))
            if isinstance(value, list)
            else []
        )
        for key in keys:
            spots.append((value, key))
            walk(value[key])

    walk(body)
    parent, key = data.draw(st.sampled_from(spots))
    parent[key] = data.draw(JSON)
    try:
        found = parse_activity_body(body, name="A-1", exercise=False)
    except DetenteError as refusal:
        error = refusal
    else:
        error = None
    if error:
        assert error.field is not None
    else:
        assert rfc8785.dumps(found.body()) == rfc8785.dumps(body)


@pytest.mark.parametrize("name", ["A-1", "x", "Patrol_7.b", "0" * 64])
def test_name_that_can_be_read_out_is_accepted(name):
    """Letters, digits and a few marks, up to what a screen column holds."""
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "-a", "a-", "a:b", "é", "a\n", "0" * 65, 7, None, "../x"]
)
def test_name_that_could_mislead_is_refused(name):
    """No spaces, colons, paths or look-alikes: a name is read out over a phone."""
    with pytest.raises(UsageError) as error:
        check_name(name)
    assert error.value.field == "id"


def test_notice_limits_are_errors_never_truncations():
    """One piece or position too many is refused."""
    with pytest.raises(UsageError, match="at most 2,000"):
        notice(pieces=(piece(),) * (PIECES_PER_NOTICE + 1))
    line = tuple((k * 10**5, 0) for k in range(10_000))
    long = piece(Corridor(line, 10))
    notice(pieces=(long,) * 5)
    with pytest.raises(UsageError, match=f"{VERTICES_PER_NOTICE:,}"):
        notice(pieces=(long,) * 5 + (piece(),))
    far = piece(Corridor(((0, 0), (170 * 10**9, 80 * 10**9)), 10))
    with pytest.raises(UsageError, match="parts"):
        notice(pieces=(far,) * 20)


def test_notice_interval_is_the_hull_of_its_pieces():
    """The notice starts with its first piece and ends with its last."""
    one = notice(pieces=(piece(start=5, end=9), piece(start=2, end=4)))
    assert (one.start_us, one.end_us) == (2, 9)


def test_notice_without_volume_is_refused():
    """Words alone are not a notice."""
    with pytest.raises(UsageError, match="at least one volume"):
        notice(pieces=())


def test_notice_is_frozen_and_hashable():
    """A valid notice stays valid."""
    one = notice()
    assert hash(one) == hash(notice())
    with pytest.raises(AttributeError):
        one.name = "B-1"
    assert msgspec.structs.replace(one, name="B-1") != one
