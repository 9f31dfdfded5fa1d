"""`detente bench --peers`: the tools that others use and this engine, on the same inputs, in one run.

The peers come from PyPI into an environment of their own (BlueSky is under the GPL: it never shares an
environment or a process with us) and run as processes (`peerrun`). Ratios count; absolute times drift. Where
answers differ, each difference is decided by whole numbers (`check_tracks`, `check_pair`), never by a vote.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from detente.conflict.tactical import (
    CONFLICT,
    Profile,
    Tracks,
    TrackState,
    check_tracks,
    components_of,
    find,
    tracks_of,
)
from detente.errors import UnavailableError, UsageError
from detente.units import TENTH_MM_PER_FT, TENTH_MM_PER_M, TENTH_MM_PER_NM, US_PER_S

Row = dict[str, Any]
Longs = npt.NDArray[np.int64]
Progress = Callable[[str], None]

PACKAGES = ("bluesky-simulator==1.1.1", "shapely>=2", "traffic==2.13", "pandas<3")
PARTS = ("tactical", "volumes", "swiss", "defects")
SHOWN = 3  # differences spelled out in the table; the JSON has all

NOW_US = 1_700_000_000 * US_PER_S
FIVE_NM, THOUSAND_FT = 5 * TENTH_MM_PER_NM, 1000 * TENTH_MM_PER_FT
LOOK_AHEAD_S = 300
NUMPY_NEEDS_MB = 6_000  # BlueSky's numpy detector of 4,000 aircraft takes 3.7 GB


def run_peers(
    *, only: str | None = None, full: bool = False, progress: Progress | None = None
) -> Row:
    """Run peers and engine; returns rows, differences and the defects by name.

    Args:
        only: names of parts, joined by commas.
        full: the whole Swiss day (over ten minutes for the peer) and a million volumes; else half an hour of it
            and 200,000 volumes.
        progress: is told each line.

    Raises:
        UsageError: ``part-unknown``.
        UnavailableError: the peers cannot be installed here.
    """
    parts = PARTS if only is None else tuple(only.split(","))
    for part in parts:
        if part not in PARTS:
            raise UsageError(
                "part-unknown",
                f"part is {part!r}; it must be one of {', '.join(PARTS)}",
                field="only",
            )
    say: Progress = progress or (lambda line: None)
    peers = Peers(say)
    result: Row = {"peers": peers.versions(), "rows": [], "differences": [], "defects": []}
    if "tactical" in parts:
        for count in (4_000, 10_000):
            _tactical(peers, count, result, say)
    if "volumes" in parts:
        _volumes(peers, 1_000_000 if full else 200_000, result, say)
    if "swiss" in parts:
        _swiss(peers, full, result, say)
    if "defects" in parts:
        _defects(peers, result, say)
    return result


class Peers:
    """The peers' environment, made at the first use and kept in the user's cache."""

    def __init__(self, say: Progress) -> None:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        self.folder = cache / "detente" / "peers-1"
        self.python = self.folder / "bin" / "python"
        if not (self.folder / ".ready").exists():
            say(f"installing {', '.join(PACKAGES)} into {self.folder} ...")
            self._make()

    def _make(self) -> None:
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(self.folder)],
            [
                str(self.python),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                *PACKAGES,
            ],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise UnavailableError(
                    "peers-unavailable",
                    f"{' '.join(command[:4])} failed: {done.stderr.strip()[-300:]}",
                    hint="the peers come from PyPI; check that pip can reach it",
                )
        (self.folder / ".ready").touch()

    def versions(self) -> dict[str, str]:
        """What is installed."""
        names = ("bluesky-simulator", "shapely", "traffic", "numpy", "pandas")
        done = subprocess.run(
            [str(self.python), "-c", "import importlib.metadata as m, sys; print(*map(m.version, sys.argv[1:]))", *names],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return dict(zip(names, done.stdout.split(), strict=True))

    def run(self, task: str, **given: Any) -> tuple[Row, dict[str, npt.NDArray[Any]]]:
        """One task in a process of its own: what it says, and its arrays."""
        with tempfile.TemporaryDirectory(prefix="detente-peers-") as scratch:
            folder = Path(scratch)
            np.savez(folder / "in.npz", **given)
            done = subprocess.run(
                [str(self.python), str(Path(__file__).with_name("peerrun.py")), task, scratch],
                capture_output=True, text=True, check=False, cwd=scratch,
            )  # fmt: skip
            if done.returncode:
                raise UnavailableError(
                    "peer-failed",
                    f"peer task {task} ended with {done.returncode}: {done.stderr.strip()[-300:]}",
                )
            said: Row = json.loads((folder / "out.json").read_text())
            with np.load(folder / "out.npz", allow_pickle=False) as arrays:
                return said, dict(arrays)


def best_of(rounds: int, work: Callable[[], Any]) -> tuple[float, Any]:
    """The shortest of several runs, in seconds, and the last answer."""
    best, found = float("inf"), None
    for _ in range(rounds):
        began = time.perf_counter()
        found = work()
        best = min(best, time.perf_counter() - began)
    return best, found


def _add(result: Row, say: Progress, **row: Any) -> None:
    row["ratio"] = row["peer_s"] / row["engine_s"] if row["peer_s"] and row["engine_s"] else None
    result["rows"].append(row)
    ratio = (
        ""
        if row["ratio"] is None
        else f", {row['ratio']:,.{0 if row['ratio'] >= 10 else 1}f} times as fast"
    )
    if "engine_processor_s" in row:
        ratio += f" ({_seconds(row['engine_processor_s'])} of processor)"
    say(
        f"{row['what']}: {row['peer']} {_seconds(row['peer_s'])}, engine {_seconds(row['engine_s'])}{ratio}; "
        f"{row['answers']}"
    )


def _seconds(value: float | None) -> str:
    if value is None:
        return "not run"
    if value < 1e-3:
        return f"{value * 1e6:.1f} us"
    return f"{value * 1e3:.1f} ms" if value < 1 else f"{value:.2f} s"


# -- live tracks ------------------------------------------------------------------------------------


def random_tracks(count: int, seed: int = 1) -> Tracks:
    """Aircraft over Europe: 10 W to 30 E, 35 to 60 N, up to FL 400, 150 to 260 m/s, half of them level."""
    random = np.random.default_rng(seed)
    columns = np.zeros((12, count), dtype=np.int64)
    columns[0] = random.integers(-10 * 10**9, 30 * 10**9, count)
    columns[1] = random.integers(35 * 10**9, 60 * 10**9, count)
    columns[2] = random.integers(0, 401, count) * 100 * TENTH_MM_PER_FT
    columns[3] = 3  # pressure levels
    speeds = random.integers(1_500_000, 2_600_000, count)
    courses = random.integers(0, 360, count) * 10**9
    for row in range(count):
        columns[4:6, row] = components_of(int(speeds[row]), int(courses[row]))
    columns[6] = random.choice([0, 0, 0, 50_000, -50_000, 101_600], count)
    columns[7] = NOW_US
    return Tracks(
        [f"T{k}" for k in range(count)],
        ["north", "south"] * (count // 2) + ["north"] * (count % 2),
        columns,
    )


def bluesky_columns(tracks: Tracks, *, ahead: Any = None) -> dict[str, Any]:
    """The same tracks as BlueSky takes them: degrees, metres, metres a second."""
    lon, lat, altitude, _, east, north, up = tracks.columns[:7]
    count = len(tracks)
    return {
        "lat": lat / 1e9,
        "lon": lon / 1e9,
        "alt": altitude / TENTH_MM_PER_M,
        "vs": up / TENTH_MM_PER_M,
        "gs": np.hypot(east, north) / TENTH_MM_PER_M,
        "trk": np.degrees(np.arctan2(east, north)) % 360,
        "rpz": np.full(count, 5 * 1852.0),
        "hpz": np.full(count, 1000 * 0.3048),
        "ahead": np.full(count, float(LOOK_AHEAD_S))
        if ahead is None
        else np.asarray(ahead, dtype=float),
    }


def _tactical(peers: Peers, count: int, result: Row, say: Progress) -> None:
    tracks = random_tracks(count)
    profile = Profile(lateral=FIVE_NM, vertical=THOUSAND_FT)
    find(tracks, profile, NOW_US)  # compiles, at the first run on this machine
    processor: list[float] = []

    def look() -> Longs:
        began = time.thread_time()
        found = find(tracks, profile, NOW_US, look_ahead_s=LOOK_AHEAD_S)
        processor.append(time.thread_time() - began)
        return found

    seconds, found = best_of(25, look)
    mine = {(a, b) for a, b, verdict in found[:, :3].tolist() if verdict == CONFLICT}
    columns = bluesky_columns(tracks)
    for peer, task in (("BlueSky compiled", "compiled"), ("BlueSky numpy", "numpy")):
        what = f"{count:,} live tracks, all with all, 5 NM / 1,000 ft / 300 s"
        if task == "numpy" and (count > 4_000 or _free_mb() < NUMPY_NEEDS_MB):
            need = 3.7 * (count / 4_000) ** 2
            _add(
                result, say, what=what, peer=peer, peer_s=None, engine_s=seconds, goal=None,
                answers=f"it would need {need:.0f} GB",
            )  # fmt: skip
            continue
        said, arrays = peers.run(task, rounds=3 if task == "compiled" else 1, **columns)
        theirs = [tuple(pair) for pair in arrays["pairs"].tolist()]
        both = {(min(pair), max(pair)) for pair in theirs}
        differ = _tactical_differences(tracks, profile, mine, both, f"{peer}, {count:,}")
        one_sided = len(set(theirs)) != 2 * len(both)
        result["differences"] += differ
        _add(
            result, say, what=what, peer=peer, peer_s=said["seconds"], engine_s=seconds,
            goal=">= 100 times" if task == "compiled" and count == 4_000 else "<= 15 ms" if count == 10_000 else None,
            engine_processor_s=min(processor),
            answers=f"{len(mine)} pairs, it {len(both)}{' (some from one side only)' if one_sided else ''}; {_counted(differ)}",
            peer_mb=said["peak_mb"],
        )  # fmt: skip
        _show(differ, say)


def _free_mb() -> float:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable"):
            return int(line.split()[1]) / 1024
    return 0.0


def _tactical_differences(
    tracks: Tracks, profile: Profile, mine: set[Any], theirs: set[Any], where: str
) -> list[Row]:
    """Each pair on which the two differ, with the verdict of whole numbers and by how much it is one."""
    rows = []
    for a, b in sorted(mine ^ theirs):
        one, two = tracks.row(a), tracks.row(b)
        exact = check_tracks(one, two, profile, NOW_US, look_ahead_s=LOOK_AHEAD_S)
        said = "conflict" if exact is not None else "clear"
        margin = _margin_m(one, two, profile)
        level = msgspec.structs.replace(profile, vertical=profile.vertical + 1)
        if exact is None and check_tracks(one, two, level, NOW_US, look_ahead_s=LOOK_AHEAD_S):
            why = "defects 4 and 5: exactly at the vertical minimum, in metres of floating point"
        else:
            why = "the peer's sphere and flat metric" if margin is not None else "other"
        rows.append(
            {
                "where": where,
                "pair": [tracks.ids[a], tracks.ids[b]],
                "peer": "conflict" if (a, b) in theirs else "clear",
                "engine": "conflict" if (a, b) in mine else "clear",
                "exact": said,
                "why": why,
                "margin_m": margin,
            }
        )
    return rows


def _margin_m(one: TrackState, two: TrackState, profile: Profile) -> float | None:
    """How far the lateral minimum must move, in metres, to turn the exact verdict; None beyond 2 km."""
    was = check_tracks(one, two, profile, NOW_US, look_ahead_s=LOOK_AHEAD_S) is not None
    low, high = 0, 2_000 * TENTH_MM_PER_M
    sign = -1 if was else 1

    def turned(by: int) -> bool:
        other = Profile(lateral=profile.lateral + sign * by, vertical=profile.vertical)
        return (check_tracks(one, two, other, NOW_US, look_ahead_s=LOOK_AHEAD_S) is not None) != was

    if not turned(high):
        return None
    while high - low > TENTH_MM_PER_M // 10:
        middle = (low + high) // 2
        low, high = (low, middle) if turned(middle) else (middle, high)
    return round(high / TENTH_MM_PER_M, 1)


def _counted(differ: list[Row]) -> str:
    if not differ:
        return "the same answers"
    wrong = Counter("peer" if row["exact"] != row["peer"] else "engine" for row in differ)
    return f"{len(differ)} differ, by whole numbers the peer is wrong in {wrong['peer']}, the engine in {wrong['engine']}"


def _show(differ: list[Row], say: Progress) -> None:
    for row in differ[:SHOWN]:
        margin = "" if row.get("margin_m") is None else f"; {row['margin_m']} m from the minimum"
        say(
            f"    {' and '.join(row['pair'])}: peer {row['peer']}, engine {row['engine']}, exact {row['exact']} ({row['why']}{margin})"
        )
    if len(differ) > SHOWN:
        say(f"    ... and {len(differ) - SHOWN} more (--json has all)")


# -- volumes ----------------------------------------------------------------------------------------


def random_volumes(count: int, seed: int = 1) -> Any:
    """12-gons of 2 to 12 km over Europe, of an hour each in one day, 2,000 to 6,000 ft high."""
    from detente.conflict.strategic import VolumeArrays

    random = np.random.default_rng(seed)
    lon = random.uniform(-10, 30, count)
    lat = random.uniform(35, 60, count)
    size = random.uniform(1_000, 6_000, count) / 111_195
    turn = np.arange(12) * (2 * np.pi / 12)
    wave = random.uniform(0.8, 1.0, (count, 12))
    x = lon[:, None] + size[:, None] * wave * np.cos(turn) / np.cos(np.radians(lat))[:, None]
    y = lat[:, None] + size[:, None] * wave * np.sin(turn)
    start = NOW_US + random.integers(0, 23 * 3600, count) * US_PER_S
    lower = random.integers(0, 380, count) * THOUSAND_FT // 10
    return VolumeArrays(
        lon=np.rint(x.ravel() * 1e9).astype(np.int64),
        lat=np.rint(y.ravel() * 1e9).astype(np.int64),
        first=np.arange(count + 1, dtype=np.int64) * 12,
        thick=np.zeros(count, dtype=np.int64),
        start=start,
        end=start + 3600 * US_PER_S,
        lower=lower,
        upper=lower + random.integers(20, 60, count) * THOUSAND_FT // 10,
    )


def _volumes(peers: Peers, count: int, result: Row, say: Progress) -> None:
    from detente.conflict.strategic import VERDICTS, all_overlaps

    volumes = random_volumes(count)
    all_overlaps(random_volumes(2_000))  # compiles, at the first run on this machine
    seconds, found = best_of(3, lambda: all_overlaps(volumes))
    conflict = found.codes == VERDICTS.index("conflict")
    mine = {tuple(pair) for pair in found.pairs[conflict].tolist()}
    given = {
        "lon": volumes.lon / 1e9,
        "lat": volumes.lat / 1e9,
        **{name: getattr(volumes, name) for name in ("first", "start", "end", "lower", "upper")},
    }
    said, arrays = peers.run("overlaps", rounds=2, **given)
    theirs = {tuple(pair) for pair in arrays["pairs"].tolist()}
    differ = _volume_differences(volumes, mine, theirs)
    result["differences"] += differ
    _add(
        result, say, what=f"{count:,} volumes of 12 corners, all overlaps", peer="shapely STRtree",
        peer_s=said["seconds"], engine_s=seconds, goal="<= 1 s (a million)", peer_mb=said["peak_mb"],
        answers=f"{len(mine):,} pairs, it {len(theirs):,}; {_counted(differ)}",
    )  # fmt: skip
    _show(differ, say)
    _queries(peers, volumes, given, result, say)


def _volume_differences(volumes: Any, mine: set[Any], theirs: set[Any]) -> list[Row]:
    from detente.airspace.near import Budget
    from detente.airspace.shape import Shape, compare_lateral

    rows = []
    for a, b in sorted(mine ^ theirs):
        one, two = (Shape(volumes.geometry(row), "planar") for row in (a, b))
        sign = compare_lateral(one, two, 0, Budget(10**7))
        rows.append(
            {
                "where": "volumes",
                "pair": [f"V{a}", f"V{b}"],
                "peer": "conflict" if (a, b) in theirs else "clear",
                "engine": "conflict" if (a, b) in mine else "clear",
                "exact": "conflict" if sign < 0 else "touch" if sign == 0 else "clear",
                "why": "floating point at a boundary",
            }
        )
    return rows


def _queries(peers: Peers, volumes: Any, given: Row, result: Row, say: Progress) -> None:
    from detente.airspace.earths import earth_points
    from detente.conflict.separation import Rules
    from detente.conflict.volumeindex import VolumeIndex

    count = len(volumes)
    points = earth_points(volumes.lon, volumes.lat).reshape(3, count, 12)
    columns = np.zeros((count, 12), dtype=np.int64)
    columns[:, 0], columns[:, 1] = volumes.start, volumes.end
    columns[:, 2:5], columns[:, 5:8] = points.min(axis=2).T, points.max(axis=2).T
    columns[:, 8], columns[:, 10] = volumes.lower, volumes.upper
    index = VolumeIndex()
    index.add(columns, False)
    asked = np.random.default_rng(2).integers(0, count, 2_000)
    rules = Rules()
    index.near(columns[0], False, rules)
    times = []
    for row in asked.tolist():
        began = time.perf_counter()
        index.near(columns[row], False, rules)
        times.append(time.perf_counter() - began)
    said, arrays = peers.run("queries", asked=asked, **given)
    theirs = arrays["seconds"]
    for share, name in ((50, "p50"), (99, "p99")):
        _add(
            result, say, what=f"one volume against {count:,}, {name}", peer="shapely STRtree",
            peer_s=float(np.percentile(theirs, share)), engine_s=float(np.percentile(times, share)),
            goal="<= 30 us" if name == "p99" else None, peer_mb=said["peak_mb"],
            answers="it in two dimensions, the engine in place, height and time",
        )  # fmt: skip


# -- the recorded day -------------------------------------------------------------------------------


def _swiss(peers: Peers, full: bool, result: Row, say: Progress) -> None:
    from detente.conflict.separation import build_minima
    from detente.conflict.trajectory import (
        LegRules,
        build_legs,
        build_tracks,
        find_conflicts,
        part_for,
    )

    hours = 0.0 if full else 0.5
    said, arrays = peers.run("swiss", hours=hours, peer=1)
    names, begins = np.unique(arrays["name"], return_inverse=True)
    order = np.lexsort((arrays["time_ms"], begins))
    time_us = arrays["time_ms"][order].astype(np.int64) * 1000
    which = begins[order]
    keep = np.ones(len(order), dtype=bool)
    keep[1:] = (which[1:] != which[:-1]) | (time_us[1:] != time_us[:-1])
    order, time_us, which = order[keep], time_us[keep], which[keep]
    starts = np.searchsorted(which, np.arange(len(names) + 1))
    tracks = build_tracks(
        tuple(names.tolist()),
        starts.astype(np.int64),
        time_us,
        np.rint(arrays["lon"][order] * 1e9).astype(np.int64),
        np.rint(arrays["lat"][order] * 1e9).astype(np.int64),
        np.rint(arrays["alt_ft"][order] * TENTH_MM_PER_FT).astype(np.int64),
    )
    minima = build_minima(FIVE_NM, THOUSAND_FT, 0)
    find_conflicts(tracks, minima)
    seconds, found = best_of(7, lambda: find_conflicts(tracks, minima))
    mine: dict[tuple[str, ...], list[Any]] = {}
    for one in found.conflicts:
        pair = tuple(sorted((one.a.split("|")[0], one.b.split("|")[0])))
        if pair[0] != pair[1]:  # the peer does not compare an aircraft with itself
            mine.setdefault(pair, []).append(one)
    theirs = {tuple(pair) for pair in said["pairs"]}
    legs = build_legs(tracks, LegRules(), part_tenth_mm=part_for(FIVE_NM))
    differ = []
    for pair in sorted(set(mine) ^ theirs):
        met = mine.get(pair)
        differ.append(
            {
                "where": "swiss",
                "pair": list(pair),
                "peer": "conflict" if pair in theirs else "clear",
                "engine": "conflict" if met else "clear",
                "exact": "conflict" if _meet_exactly(legs, pair) else "clear",
                "why": "defect 7: sampled"
                if met
                else "defect 5: feet as floats, or samples off the legs",
                "lasting_s": round(sum(one.until_us - one.from_us for one in met) / US_PER_S, 1)
                if met
                else None,
            }
        )
    result["differences"] += differ
    part = "the whole recorded Swiss day" if full else "half an hour of the recorded Swiss day"
    _add(
        result, say, what=f"{part}: {len(tracks):,} flights, {len(time_us):,} points", peer="traffic",
        peer_s=said["seconds"], engine_s=seconds, goal="<= 20 ms (the day)", peer_mb=said["peak_mb"],
        answers=f"{len(mine)} pairs of aircraft, it {len(theirs)}; {_counted(differ)}",
    )  # fmt: skip
    _show(differ, say)
    missed = sum(row["peer"] == "clear" for row in differ)
    _defect(
        result, say, 7, "sampling", "traffic",
        f"misses {missed} pairs that are close between samples", missed > 0, "finds them: continuous in time",
    )  # fmt: skip


def _meet_exactly(legs: Any, pair: tuple[str, ...]) -> bool:
    """Whether any leg of one aircraft meets any of another, by whole numbers, leg by leg."""
    from detente.conflict.meet import Leg, meet
    from detente.conflict.spell import leg_of

    flown: list[list[Leg]] = [[], []]
    for row in np.nonzero(legs.joined)[0].tolist():
        address = legs.ids[legs.track[row]].split("|")[0]
        if address in pair:
            flown[pair.index(address)].append(leg_of(legs, row))
    return any(
        meet(one, two, FIVE_NM, THOUSAND_FT) is not None
        for one in flown[0]
        for two in flown[1]
        if one.start_us < two.end_us and two.start_us < one.end_us
    )


# -- the defects, by name ---------------------------------------------------------------------------


def _defect(
    result: Row,
    say: Progress,
    number: int,
    name: str,
    peer: str,
    said: str,
    shows: bool,
    engine: str,
) -> None:
    result["defects"].append(
        {
            "number": number,
            "name": name,
            "peer": peer,
            "said": said,
            "shows": shows,
            "engine": engine,
        }
    )
    say(
        f"defect {number}, {name}: {peer} {'shows it' if shows else 'does not show it'}: {said}; engine {engine}"
    )


def _state(
    name: str, lon: float, lat: float, east: float, north: float, alt_ft: int = 35_000
) -> TrackState:
    return TrackState(
        id=name,
        party="north",
        lon=round(lon * 1e9),
        lat=round(lat * 1e9),
        altitude=alt_ft * TENTH_MM_PER_FT,
        datum="STD",
        east=round(east * TENTH_MM_PER_M),
        north=round(north * TENTH_MM_PER_M),
        time=NOW_US,
    )


def _asked(
    peers: Peers, states: list[TrackState], ahead: Any = None
) -> tuple[dict[str, set[Any]], int]:
    """Ordered pairs that each BlueSky detector reports, and how many pairs the engine does."""
    tracks = tracks_of(states)
    columns = bluesky_columns(tracks, ahead=ahead)
    said = {
        peer: {tuple(pair) for pair in peers.run(task, rounds=1, **columns)[1]["pairs"].tolist()}
        for peer, task in (("BlueSky compiled", "compiled"), ("BlueSky numpy", "numpy"))
    }
    found = find(tracks, Profile(lateral=FIVE_NM, vertical=THOUSAND_FT), NOW_US)
    return said, len(found)


def _defects(peers: Peers, result: Row, say: Progress) -> None:
    mile = 1 / 60
    cases = (
        (1, "equal velocities, 1 NM apart", [_state("a", 0, 0, 0, 250), _state("b", mile, 0, 0, 250)]),
        (2, "head-on across 180 degrees", [_state("a", 179.5, 0, 250, 0), _state("b", -179.5, 0, -250, 0)]),
        (3, "head-on over the pole", [_state("a", 0, 89.8, 0, 250), _state("b", 180, 89.8, 0, 250)]),
    )  # fmt: skip
    for number, name, states in cases:
        said, mine = _asked(peers, states)
        for peer, pairs in said.items():
            _defect(
                result, say, number, name, peer, "conflict" if pairs else "no conflict", not pairs,
                "conflict" if mine else "no conflict",
            )  # fmt: skip
    one_sided: Counter[str] = Counter()
    false: Counter[str] = Counter()
    mine_wrong = 0
    states = []
    for level in range(54):
        # far from the next pair
        lat = -80 + level * 3
        states += [
            _state(f"a{level}", 0, lat, 250, 0, 1000 * level),
            _state(f"b{level}", 0.4, lat, -250, 0, 1000 * (level + 1)),
        ]
    said, mine_wrong = _asked(peers, states)
    for peer, pairs in said.items():
        both = {(min(pair), max(pair)) for pair in pairs}
        false[peer] = len(both)
        one_sided[peer] = sum(((a, b) in pairs) != ((b, a) in pairs) for a, b in both)
    for peer in said:
        _defect(
            result, say, 4, "exactly 1,000 ft apart, one-sided", peer,
            f"{one_sided[peer]} of 54 pairs from one side only", one_sided[peer] > 0, "0 of 54 from either side",
        )  # fmt: skip
        _defect(
            result, say, 5, "feet as floating-point metres", peer,
            f"{false[peer]} of 54 pairs exactly 1,000 ft apart closer than 1,000 ft", false[peer] > 0,
            f"{mine_wrong} of 54",
        )  # fmt: skip
    levels, _ = peers.run("levels")
    _defect(
        result, say, 5, "feet as floating-point metres", "any float code",
        f"{levels['closer']} of 54 pairs closer", levels["closer"] > 0, "0 of 54",
    )  # fmt: skip
    apart = [_state("a", 0, 0, 200, 0), _state("b", 1.5, 0, -200, 0)]  # 90 NM: 5 NM apart in 393 s
    counts: dict[str, list[int]] = {}
    for ahead in ([300.0, 600.0], [600.0, 300.0]):
        for peer, pairs in _asked(peers, apart, ahead)[0].items():
            counts.setdefault(peer, []).append(len(pairs))
    for peer, found in counts.items():
        _defect(
            result, say, 6, "another look-ahead for each aircraft", peer,
            f"{found[0]} and {found[1]} of the 2 orders for (300 s, 600 s) and (600 s, 300 s)",
            found[0] == 1 or found[0] != found[1], "one look-ahead for all",
        )  # fmt: skip
    shapes, _ = peers.run("shapes")
    _defect(
        result, say, 2, "volumes that meet at 180 degrees", "shapely",
        "meet" if shapes["antimeridian"] else "no intersection", not shapes["antimeridian"], _volumes_at_180(),
    )  # fmt: skip
    _defect(
        result, say, 8, "a circle as a 20-gon", "shapely (buffer)",
        "meets a point inside it" if shapes["circle"] else "misses a point inside it", not shapes["circle"],
        "a circle is a point and its radius",
    )  # fmt: skip


def _volumes_at_180() -> str:
    from detente.airspace.area import Area
    from detente.airspace.near import Budget
    from detente.airspace.shape import Shape, compare_lateral

    def box(west: int, east: int) -> Shape:
        ring = ((west, 0), (east, 0), (east, 10**9), (west, 10**9), (west, 0))
        return Shape(Area(((ring,),)), "planar")

    sign = compare_lateral(
        box(179_980_000_000, 180_000_000_000),
        box(-180_000_000_000, -179_980_000_000),
        0,
        Budget(10**6),
    )
    return {-1: "they overlap", 0: "they touch", 1: "they are apart"}[sign]
