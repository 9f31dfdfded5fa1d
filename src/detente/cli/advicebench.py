"""Benchmarks of advice: a conflict inside a cluster of ten notices, and the bands of a live track among ten others.

Each question is asked once, about a cluster that has not been asked about: a node asks once too. The notices of the
two parties have been judged against each other, as when a node asks; compiling comes before, and what lives on is
frozen for the collector of garbage, as a node does at its start. Times are of the processor, because a question of milliseconds is mostly other people's work on a busy machine.
"""

from __future__ import annotations

import gc
import os
import time
from collections import Counter
from collections.abc import Sequence

import numpy as np

from detente.airspace.altitude import Altitude
from detente.airspace.area import Area, Circle, Geometry, LonLat
from detente.airspace.volume import Volume
from detente.cli.recordbench import Row, alone
from detente.compiled import HAS_COMPILER
from detente.conflict.advice import Advice, Standing, advise
from detente.conflict.pair import judge, prepare
from detente.conflict.strategic import Minima, Rules
from detente.conflict.tactical import Profile, TrackState, find_bands
from detente.notice.activity import ActivityNotice
from detente.units import (
    NANODEG_PER_DEG,
    TENTH_MM_PER_FT,
    TENTH_MM_PER_M,
    TENTH_MM_PER_NM,
    US_PER_S,
)

NOTICES = 10  # of both parties
OTHERS = 10  # tracks beside the own one
CORNERS = 12
RULES = Rules(Minima(5 * TENTH_MM_PER_NM, 1000 * TENTH_MM_PER_FT, 0))
PROFILE = Profile(lateral=5 * TENTH_MM_PER_NM, vertical=1000 * TENTH_MM_PER_FT)
SHAPES = ("circles", "12-gons")
_NOW_US = 1_767_225_600 * US_PER_S
_MIDDLE = (10.0, 45.0)
_PER_KM = 1 / 111.0  # degrees, near enough for made-up traffic


def some_cluster(shape: str, seed: int) -> list[Standing]:
    """Five notices of each party within some 40 km, of which the first two overlap.

    Args:
        shape: ``"circles"`` or ``"12-gons"``, of 2 to 10 km.
        seed: of the drawing.

    Returns:
        An hour long within two hours, 1,000 to 5,000 ft high between 5,000 and 15,000 ft; parties in turn.
    """
    chance = np.random.default_rng(seed)
    found = []
    for number in range(NOTICES):
        reach = 0.04 if number < 2 else 0.25
        lon, lat = (at + float(chance.uniform(-reach, reach)) for at in _MIDDLE)
        geometry = _geometry(shape, lon, lat, chance)
        start = _NOW_US + int(chance.integers(0, 30 if number < 2 else 60)) * 60 * US_PER_S
        lower = int(chance.integers(50, 60 if number < 2 else 100))
        low, high = (
            Altitude(feet * 100 * TENTH_MM_PER_FT, "ft", "MSL")
            for feet in (lower, lower + int(chance.integers(10, 50)))
        )
        piece = Volume(geometry, "planar", low, high, start, start + 3600 * US_PER_S)
        party = ("north", "south")[number % 2]
        name = f"A-{number}"
        notice = ActivityNotice(name, True, "patrol", (piece,))
        found.append(Standing(f"{party}:{name}", party, notice, RULES))
    return found


def some_tracks(seed: int) -> list[TrackState]:
    """A track and `OTHERS` others within 30 NM and 4,000 ft, reported within the last five seconds."""
    chance = np.random.default_rng(seed)
    found = []
    for number in range(OTHERS + 1):
        lon, lat = (at + float(chance.uniform(-0.5, 0.5)) for at in _MIDDLE)
        way, speed = chance.uniform(0, 2 * np.pi), chance.uniform(100, 250) * TENTH_MM_PER_M
        found.append(
            TrackState(
                id=f"T-{number}",
                party=("north", "south")[number % 2],
                lon=round(lon * NANODEG_PER_DEG),
                lat=round(lat * NANODEG_PER_DEG),
                altitude=int(chance.integers(180, 220)) * 100 * TENTH_MM_PER_FT,
                datum="STD",
                east=round(speed * np.sin(way)),
                north=round(speed * np.cos(way)),
                up=int(chance.integers(-2, 3)) * 500 * TENTH_MM_PER_FT // 60,
                time=_NOW_US - int(chance.integers(0, 5)) * US_PER_S,
                lateral=0,
                lateral_growth=0,
                vertical=0,
                vertical_growth=0,
            )
        )
    return found


def measure_both(seeds: int) -> Row:
    """All parts with the compiled loops, and a fifth of the clusters without, each in a process of its own."""
    found: Row = {"compiled": alone(measure_advice, seeds)}
    before = os.environ.get("DETENTE_COMPILED")
    os.environ["DETENTE_COMPILED"] = "0"
    try:
        found["not compiled"] = alone(measure_advice, max(2, seeds // 5))
    finally:
        if before is None:
            del os.environ["DETENTE_COMPILED"]
        else:
            os.environ["DETENTE_COMPILED"] = before
    return found


def measure_advice(seeds: int) -> Row:
    """What all options of a cluster cost together, for each shape, and the bands of a track; milliseconds of processor.

    Args:
        seeds: clusters of each shape, and tracks.
    """
    row: Row = {"compiler": HAS_COMPILER, "seeds": seeds}
    for shape in SHAPES:
        _ask(some_cluster(shape, 0))  # compiles
        asked = [_ask(some_cluster(shape, seed)) for seed in range(1, seeds + 1)]
        row[shape] = _costs([ms for _, ms in asked]) | {
            "options": dict(Counter(kind for advice, _ in asked for kind in _kinds(advice))),
        }
    _bands(some_tracks(0))
    row["bands"] = _costs([_bands(some_tracks(seed)) for seed in range(1, seeds + 1)])
    return row


def _ask(standings: Sequence[Standing]) -> tuple[Advice, float]:
    ready = [prepare(standing.notice) for standing in standings]
    for one in ready[::2]:
        for two in ready[1::2]:
            judge(one, two, RULES)
    gc.collect()
    gc.freeze()
    began = time.process_time_ns()
    advice = advise(standings[0], standings[1], standings[2:])
    return advice, (time.process_time_ns() - began) / 1e6


def _bands(tracks: Sequence[TrackState]) -> float:
    began = time.process_time_ns()
    find_bands(tracks[0], tracks[1:], PROFILE, _NOW_US)
    return (time.process_time_ns() - began) / 1e6


def _kinds(advice: Advice) -> list[str]:
    """One word for each option: what is changed, and whether both give way."""
    found = []
    for option in advice.options:
        move = option.moves[0]
        kind = (
            "sideways"
            if move.aside_tenth_mm
            else "delay"
            if not move.higher_tenth_mm
            else "height"
            if not move.later_us
            else "delay and height"
        )
        found.append(f"split {kind}" if len(option.moves) == 2 else kind)
    return found


def _costs(each: Sequence[float]) -> Row:
    return {"median_ms": float(np.median(each)), "worst_ms": max(each)}


def _geometry(shape: str, lon: float, lat: float, chance: np.random.Generator) -> Geometry:
    radius_km = float(chance.uniform(2, 10))
    if shape == "circles":
        return Circle(_position(lon, lat), round(radius_km * 1000 * TENTH_MM_PER_M))
    reach = radius_km * _PER_KM * chance.uniform(0.7, 1, CORNERS)
    angle = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    wide = float(np.cos(np.radians(lat)))
    ring = [
        _position(lon + float(out * np.cos(turn)) / wide, lat + float(out * np.sin(turn)))
        for out, turn in zip(reach, angle, strict=True)
    ]
    return Area((((*ring, ring[0]),),))


def _position(lon: float, lat: float) -> LonLat:
    return round(lon * NANODEG_PER_DEG), round(lat * NANODEG_PER_DEG)


def describe_advice(found: Row) -> list[str]:
    """What was measured, in lines for a person."""
    lines = []
    for row in found.values():
        how = "with compiled loops" if row["compiler"] else "without a compiler"
        for shape in SHAPES:
            cost = row[shape]
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(cost["options"].items()))
            lines.append(
                f"advice in a cluster of {NOTICES} {shape}, all options together, {how}: median {cost['median_ms']:.1f} ms, "
                f"worst {cost['worst_ms']:.1f} ms of processor over {row['seeds']} (goal <= 5 ms); options: {kinds}"
            )
        lines.append(
            f"bands of a track among {OTHERS} others, {how}: median {row['bands']['median_ms']:.1f} ms, worst {row['bands']['worst_ms']:.1f} ms of processor"
        )
    return lines
