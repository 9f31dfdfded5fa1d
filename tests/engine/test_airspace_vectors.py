"""The public test set: the engine gives every answer, wrong detectors do not, and the answers are proved."""

import itertools
import json
import math
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from detente.airspace.volume import parse_volume_body
from detente.conflict.separation import Minima
from detente.conflict.strategic import Rules, check_pair
from detente.conflict.tactical import Profile, TrackState, check_tracks, find, tracks_of
from detente.conflict.trajectory import build_tracks, find_conflicts
from detente.notice.activity import build_notice
from detente.units import format_time

VECTORS = Path(__file__).parents[1] / "vectors"
sys.path.insert(0, str(VECTORS))
import generate_airspace as generator  # noqa: E402

CONFLICT_KEYS = ("from_us", "until_us", "closest_us", "lateral", "vertical")


def read(name):
    """A file of the set."""
    return json.loads((VECTORS / "airspace" / name).read_text("utf-8"))


def cases(name):
    """Its cases."""
    return read(name)["cases"]


def notice(volume):
    """A notice of one volume."""
    body = {key: value for key, value in volume.items() if not key.endswith("_us")}
    body |= {"start": format_time(volume["start_us"]), "end": format_time(volume["end_us"])}
    piece = parse_volume_body(body, field="piece")
    return build_notice(name="A", exercise=True, activity="patrol", pieces=(piece,))


def verdict_of(a, b, minima):
    """The engine's verdict on two volumes."""
    rules = Rules(Minima(minima["lateral"], minima["vertical"], minima["time_us"]))
    return check_pair(notice(a), notice(b), rules).verdict


def encounter_of(a, b, case):
    """The engine's answer on two live tracks."""
    found = check_tracks(
        TrackState(**a),
        TrackState(**b),
        Profile(**case["profile"]),
        case["now_us"],
        look_ahead_s=case["look_ahead_us"] // 10**6,
    )
    if found is None:
        return None
    answer = msgspec.structs.asdict(found)
    return answer | {"verdict": ("", "conflict", "cannot-tell")[found.verdict]}


def conflicts_of(flights, minima):
    """The engine's conflicts of tracks by name."""
    names = tuple(sorted(flights))
    counts = [0, *np.cumsum([len(flights[name]) for name in names])]
    columns = np.array([row for name in names for row in flights[name]], dtype=np.int64).T
    tracks = build_tracks(names, np.array(counts, dtype=np.int64), *columns)
    found = find_conflicts(tracks, Minima(minima["lateral"], minima["vertical"]))
    return [
        {"a": one.a, "b": one.b}
        | dict(
            zip(
                CONFLICT_KEYS,
                (
                    one.from_us,
                    one.until_us,
                    one.closest_us,
                    one.lateral_tenth_mm,
                    one.vertical_tenth_mm,
                ),
                strict=True,
            )
        )
        for one in found.conflicts
    ]


def test_volumes_have_the_proved_verdicts_from_either_side() -> None:
    """Every case of volumes.json, and with its sides swapped."""
    for case in cases("volumes.json"):
        assert verdict_of(case["a"], case["b"], case["minima"]) == case["verdict"], case["name"]
        assert verdict_of(case["b"], case["a"], case["minima"]) == case["verdict"], case["name"]


def test_live_tracks_have_the_proved_encounters_from_either_side() -> None:
    """Every case of live.json one by one, swapped, and through the detector of all against all."""
    for case in cases("live.json"):
        want = case["encounter"]
        assert encounter_of(case["a"], case["b"], case) == want, case["name"]
        assert encounter_of(case["b"], case["a"], case) == want, case["name"]
        rows = tracks_of([TrackState(**case["a"]), TrackState(**case["b"])])
        found = find(
            rows,
            Profile(**case["profile"]),
            case["now_us"],
            look_ahead_s=case["look_ahead_us"] // 10**6,
        )
        assert len(found) == (want is not None), case["name"]


def test_recorded_tracks_have_the_proved_conflicts_from_either_side() -> None:
    """Every case of tracks.json, and with its sides swapped."""
    for case in cases("tracks.json"):
        for a, b in (("a", "b"), ("b", "a")):
            found = conflicts_of({"1": case[a], "2": case[b]}, case["minima"])
            assert [{key: one[key] for key in CONFLICT_KEYS} for one in found] == case[
                "conflicts"
            ], case["name"]


def test_the_day_has_the_proved_conflicts() -> None:
    """The engine finds every conflict of the day, to the microsecond, and no other."""
    day = read("day.json")
    assert conflicts_of(day["flights"], day["minima"]) == day["conflicts"]
    assert len(day["conflicts"]) >= 30


@pytest.mark.parametrize("name", ["tracks.json", "live.json", "volumes.json"])
def test_the_answers_are_those_of_the_oracle(name) -> None:
    """The files are what the generator writes, and so what exact fractions say."""
    assert generator.text(generator.FILES[name]()) == (VECTORS / "airspace" / name).read_text(
        "utf-8"
    )


def test_a_part_of_the_day_is_what_the_oracle_says() -> None:
    """All conflicts of twelve flights with all others, worked out again."""
    day = read("day.json")
    assert generator.day_flights() == day["flights"]
    some = {"F000", "F001", "F002"} | set(sorted(day["flights"])[100:109])
    want = [one for one in day["conflicts"] if one["a"] in some or one["b"] in some]
    assert generator.day_conflicts(day["flights"], some) == want
    assert len(want) >= 3


@pytest.mark.nightly
def test_the_whole_day_is_what_the_oracle_says() -> None:
    """Every pair of the day, worked out again."""
    assert generator.text(generator.day()) == (VECTORS / "airspace" / "day.json").read_text("utf-8")


# -- wrong on purpose -------------------------------------------------------------------------------


def flat(case, *, strict=True, metres=False):
    """A flat earth scaled by the cosine of the latitude, in floats, with 0/0 left as it is."""
    a, b, profile = case["a"], case["b"], case["profile"]
    scale = 111_319.49 * 1e4 / 1e9
    east = (b["lon"] - a["lon"]) * scale * math.cos(math.radians((a["lat"] + b["lat"]) / 2e9))
    north = (b["lat"] - a["lat"]) * scale
    u, v = b["east"] - a["east"], b["north"] - a["north"]
    if metres:
        height = b["altitude"] / 3048 * 0.3048 - a["altitude"] / 3048 * 0.3048
        room = profile["vertical"] / 3048 * 0.3048
    else:
        height, room = b["altitude"] - a["altitude"], profile["vertical"]
    near_in_height = abs(height) < room if strict else abs(height) <= room
    if u == v == 0:
        return False
    at = -(east * u + north * v) / (u * u + v * v)
    at = min(max(at, 0), case["look_ahead_us"] / 1e6)
    return near_in_height and math.hypot(east + u * at, north + v * at) < profile["lateral"]


def failed(detector, chosen):
    """Names of cases that a detector gets wrong."""
    return [
        case["name"]
        for case in cases("live.json")
        if chosen in case["name"] and detector(case) != (case["encounter"] is not None)
    ]


@pytest.mark.parametrize(
    ("detector", "chosen"),
    [
        (flat, "defect 1"),
        (flat, "defect 2"),
        (flat, "defect 3"),
        (lambda case: flat(case, strict=False), "defects 4 and 5"),
        (lambda case: flat(case, metres=True), "defects 4 and 5"),
        (lambda case: flat(case | {"look_ahead_us": 400 * 10**6}), "defect 6"),
        (lambda case: False, "defect"),
        (lambda case: True, "defect"),
    ],
    ids=["0/0", "antimeridian", "pole", "at most", "metres", "look-ahead", "never", "always"],
)
def test_a_detector_with_a_defect_fails_its_cases(detector, chosen) -> None:
    """Each defect of a tool in use, built in on purpose, is found by the cases that bear its number."""
    assert failed(detector, chosen)


def sampled(case, every_us=10 * 10**6):
    """Whether recorded tracks are close at whole tens of seconds, linear in degrees."""

    def at(points, when):
        for (t0, *p), (t1, *q) in itertools.pairwise(points):
            if t0 <= when < t1:
                share = (when - t0) / (t1 - t0)
                return [x + (y - x) * share for x, y in zip(p, q, strict=True)]
        return None

    first = min(case["a"][0][0], case["b"][0][0]) // every_us * every_us
    for when in range(first, max(case["a"][-1][0], case["b"][-1][0]), every_us):
        one, two = at(case["a"], when), at(case["b"], when)
        if one is None or two is None:
            continue
        apart = math.hypot(
            (two[0] - one[0]) * math.cos(math.radians(one[1] / 1e9)), two[1] - one[1]
        ) * (111_195 * 1e4 / 1e9)
        if apart < case["minima"]["lateral"] and abs(two[2] - one[2]) < case["minima"]["vertical"]:
            return True
    return False


def test_a_detector_that_samples_fails() -> None:
    """Defect 7: what is close for less than the step is missed."""
    case = next(one for one in cases("tracks.json") if one["name"].startswith("defect 7"))
    assert case["conflicts"]
    assert not sampled(case)


def test_a_polygon_for_a_circle_fails() -> None:
    """Defect 8: of the small circles around a large one, a 20-gon inscribed misses some that the circle meets."""
    from shapely import Point

    wrong = 0
    for case in cases("volumes.json"):
        if "round, not a polygon" in case["name"]:
            big, small = (case[side]["geometry"] for side in "ab")
            degree = 111_195 * 1e4 / 1e9
            polygon = Point(0, 0).buffer(big["radius_tenth_mm"] / degree, quad_segs=5)
            spot = Point(*small["center"]).buffer(small["radius_tenth_mm"] / degree)
            wrong += polygon.intersects(spot) != (case["verdict"] == "conflict")
    assert wrong
