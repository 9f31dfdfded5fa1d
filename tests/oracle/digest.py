"""A digest of everything the engine says about a seeded lot of pairs, for comparing machines.

``python -m oracle.digest SUBJECT SEED COUNT THREADS`` prints the SHA-256 of the canonical records. Run with
another numpy, without a compiler (``DETENTE_COMPILED=0``) or with another number of threads it must not change.
"""

import sys
from hashlib import sha256

import msgspec
import numpy as np

from detente.airspace.earths import earth_points
from detente.conflict.bulk import VolumeArrays, all_overlaps
from detente.conflict.strategic import LiveVolumes, Rules, build_minima, check_pair
from detente.conflict.tactical import Profile, TrackState, find, tracks_of
from detente.conflict.trajectory import Minima, build_tracks, find_conflicts
from oracle import flights, pairs, reports


def points(seed, count, threads):
    """Earth-centred points of random positions."""
    rng = np.random.Generator(np.random.PCG64(seed))
    lon = rng.integers(-180 * pairs.UNIT, 180 * pairs.UNIT, count)
    lat = rng.integers(-90 * pairs.UNIT, 90 * pairs.UNIT, count)
    yield earth_points(lon, lat, threads=threads).astype("<i8").tobytes()


def volumes(seed, count, threads):
    """Records of pairs, and of each tenth notice against an index of those before."""
    live = LiveVolumes()
    for number, (a, b, minima) in enumerate(pairs.volume_pairs(seed, count)):
        one, two = pairs.notice_of(a), pairs.notice_of(b)
        if one is None or two is None:
            continue
        rules = Rules(build_minima(*minima))
        yield msgspec.json.encode(check_pair(one, two, rules).record())
        live.insert(f"n:{number}", two)
        if number % 10 == 0:
            for key, verdict in live.check_against(one, rules):
                yield msgspec.json.encode([key, verdict.record()])


def tactical(seed, count, threads):
    """Answers on a crowd of live tracks, under both kinds of profile; T-ANS-3."""
    for number, datums in enumerate((("STD",), ("STD", "MSL", "WGS84", "AGL"))):
        crowd = reports.crowd(seed + number, count, datums=datums, uncertain=bool(number))
        crowd += [one for pair in reports.pairs(seed, count // 10) for one in pair[:2]]
        rows = tracks_of([TrackState(**one) for one in crowd])
        for profile in reports.PROFILES:
            yield find(rows, Profile(**profile), reports.NOW).astype("<i8").tobytes()


def bulk(seed, count, threads):
    """All pairs among slanted quadrangles on a lattice, so that many touch."""
    rng = np.random.Generator(np.random.PCG64(seed))
    step = pairs.UNIT // 10
    west, south = (rng.integers(-20, 21, count) * step + rng.integers(0, 2, count) for _ in "xy")
    wide, high, slant = (rng.integers(1, 4, count) * step for _ in "xyz")
    start = pairs.EPOCH + rng.integers(0, 500, count) * 10 * pairs.MINUTE
    lower = rng.integers(0, 40, count) * 1000 * pairs.FEET
    volumes = VolumeArrays(
        lon=np.stack([west, west + wide, west + wide + slant, west + slant], axis=1).ravel(),
        lat=np.stack([south, south, south + high, south + high], axis=1).ravel(),
        first=np.arange(count + 1) * 4,
        thick=np.zeros(count, dtype=np.int64),
        start=start,
        end=start + 60 * pairs.MINUTE,
        lower=lower,
        upper=lower + 2000 * pairs.FEET,
    )
    found = all_overlaps(volumes, threads=threads)
    yield found.pairs.astype("<i8").tobytes()
    yield found.codes.tobytes()


def trajectories(seed, count, threads):
    """All conflicts among pairs of flights."""
    named = [track for pair in flights.pairs(seed, count) for track in pair]
    columns = np.array([row for track in named for row in track], dtype=np.int64).T
    starts = np.cumsum([0] + [len(track) for track in named])
    ids = tuple(f"{number:08d}" for number in range(len(named)))
    minima = Minima(flights.LATERAL, flights.VERTICAL)
    found = find_conflicts(build_tracks(ids, starts, *columns), minima, threads=threads)
    yield msgspec.json.encode(found.conflicts)
    yield msgspec.json.encode(found.skipped)


SUBJECTS = {
    "bulk": bulk,
    "points": points,
    "tactical": tactical,
    "trajectories": trajectories,
    "volumes": volumes,
}


def main(subject, seed, count, threads):
    """Print the digest."""
    digest = sha256()
    for record in SUBJECTS[subject](int(seed), int(count), int(threads)):
        digest.update(len(record).to_bytes(8, "big") + record)
    print(digest.hexdigest())


if __name__ == "__main__":
    main(*sys.argv[1:])
