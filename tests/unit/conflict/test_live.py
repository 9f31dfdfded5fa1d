"""The index of live volumes: a filter that misses nothing, in any order, at any time."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from notices import EPOCH, FEET, MINUTE, NM, box, circle, corridor, notice, piece

from detente.conflict.strategic import DatumBounds, LiveVolumes, Minima, Rules, check_pair

RULES = [
    Rules(),
    Rules(Minima(5 * NM, 1_000 * FEET, 3 * MINUTE)),
    Rules(bounds=DatumBounds(cold_permille=0, warm_permille=0)),
]


def some_notice(draw, name="N-1"):
    """A random notice in a small part of the sky, across the antimeridian and near the pole too."""
    lon = draw.choice([10, 179.5, -180]) + draw.uniform(0, 0.4)
    lat = draw.choice([45, 89.2, -0.5]) + draw.uniform(0, 0.4)
    pieces = []
    for _ in range(draw.randint(1, 3)):
        shape = draw.randint(0, 2)
        if shape == 0:
            geometry, edges = circle(lon, lat, draw.uniform(10, 20_000)), "planar"
        elif shape == 1:
            geometry, edges = box(lon, lat, lon + 0.05, lat + 0.1), "planar"
        else:
            geometry = corridor([(lon, lat), (lon + 0.1, lat + 0.2)], draw.uniform(10, 5_000))
            edges = "geodesic"
        low = draw.randint(0, 20)
        datum = draw.choice(["MSL", "STD", "AGL", "WGS84"])
        start = draw.randint(0, 50)
        pieces.append(
            piece(
                geometry,
                f"{low * 1000} ft {datum}",
                f"{low * 1000 + 2000} ft {datum}",
                start,
                start + draw.randint(1, 20),
                edges,
            )
        )
    return notice(*pieces, name=name, exercise=draw.random() < 0.1)


@given(st.integers(0, 2**31), st.sampled_from(RULES))
@settings(max_examples=60, deadline=None)
def test_candidates_never_miss_what_a_plain_loop_finds(seed, rules):
    """Whatever is not clear is a candidate; the index only saves work."""
    draw = random.Random(seed)
    live = LiveVolumes()
    known = {f"k{i}": some_notice(draw) for i in range(25)}
    for key, other in known.items():
        live.insert(key, other)
    mine = some_notice(draw, "M-1")
    plain = {key: check_pair(mine, other, rules) for key, other in known.items()}
    expected = [(key, v) for key, v in sorted(plain.items()) if v.verdict != "clear"]
    assert live.check_against(mine, rules) == expected
    assert {key for key, _ in expected} <= set(live.candidates(mine, rules))


@given(st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_index_after_removals_and_replacements_equals_a_fresh_one(seed):
    """The index is derived state: its history does not show."""
    draw = random.Random(seed)
    live, known = LiveVolumes(), {}
    for _ in range(400):
        key = f"k{draw.randint(0, 30)}"
        if draw.random() < 0.5:
            known[key] = some_notice(draw)
            live.insert(key, known[key])
        else:
            known.pop(key, None)
            live.remove(key)
    fresh = LiveVolumes()
    for key in sorted(known):
        fresh.insert(key, known[key])
    assert len(live) == len(fresh) == len(known)
    mine = some_notice(draw)
    for rules in RULES:
        assert live.check_against(mine, rules) == fresh.check_against(mine, rules)


def test_check_against_looks_only_at_the_keys_asked_for():
    """Notices under another agreement are left out by the caller's keys."""
    live = LiveVolumes()
    for key in ("a", "b", "c"):
        live.insert(key, notice(piece(box(0, 0, 1, 1))))
    mine = notice(piece(box(0, 0, 1, 1)))
    assert [key for key, _ in live.check_against(mine, Rules(), ["b", "x"])] == ["b"]
    assert "a" in live
    assert "x" not in live


def test_candidates_exclude_the_other_kind_of_exercise():
    """An exercise is never a candidate for a real notice."""
    live = LiveVolumes()
    live.insert("real", notice(piece(box(0, 0, 1, 1))))
    live.insert("played", notice(piece(box(0, 0, 1, 1)), exercise=True))
    assert live.candidates(notice(piece(box(0, 0, 1, 1))), Rules()) == ["real"]


def test_candidates_have_no_limit():
    """Ten thousand and one overlapping volumes are all found: no silent LIMIT (defect 8)."""
    live = LiveVolumes()
    same = notice(piece(circle(5, 5, 100)))
    for k in range(10_001):
        live.insert(str(k), same)
    assert len(live.candidates(same, Rules())) == 10_001


def test_candidates_of_one_notice_among_many_stay_few():
    """The index rules out what is far in place, time or height without an exact test."""
    live = LiveVolumes()
    for k in range(2_000):
        live.insert(
            str(k), notice(piece(circle(k % 100, k // 100, 1_000), start=k % 7, end=k % 7 + 1))
        )
    mine = notice(piece(circle(50, 10, 1_000), start=0, end=100))
    assert live.candidates(mine, Rules()) == ["1050"]


def test_index_holds_instants_before_the_epoch():
    """Times are plain integers; nothing is special about 1970."""
    live = LiveVolumes()
    ancient = notice(piece(box(0, 0, 1, 1), start=-EPOCH / MINUTE - 500, end=-EPOCH / MINUTE - 400))
    live.insert("a", ancient)
    assert live.candidates(ancient, Rules()) == ["a"]
    assert np.iinfo(np.int64).min < ancient.start_us < 0


@pytest.mark.parametrize("count", [1, 300])
def test_index_len_counts_notices(count):
    """The length is that of the notices, not of their pieces."""
    live = LiveVolumes()
    for k in range(count):
        live.insert(str(k), notice(piece(circle(0, 0, 1)), piece(circle(1, 1, 1))))
    assert len(live) == count
