"""A digest of everything the engine says about a seeded lot of pairs, for comparing machines.

``python -m oracle.digest SUBJECT SEED COUNT THREADS`` prints the SHA-256 of the canonical records. Run with
another numpy, without a compiler (``DETENTE_COMPILED=0``) or with another number of threads it must not change.
"""

import sys
from hashlib import sha256

import msgspec
import numpy as np

from detente.airspace.earths import earth_points
from detente.conflict.strategic import LiveVolumes, Rules, build_minima, check_pair
from detente.conflict.tactical import Profile, TrackState, find, tracks_of
from oracle import pairs, reports


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


def tracks(seed, count, threads):
    """Answers on a crowd of live tracks, under both kinds of profile; T-ANS-3."""
    for number, datums in enumerate((("STD",), ("STD", "MSL", "WGS84", "AGL"))):
        crowd = reports.crowd(seed + number, count, datums=datums, uncertain=bool(number))
        crowd += [one for pair in reports.pairs(seed, count // 10) for one in pair[:2]]
        rows = tracks_of([TrackState(**one) for one in crowd])
        for profile in reports.PROFILES:
            yield find(rows, Profile(**profile), reports.NOW).astype("<i8").tobytes()


SUBJECTS = {"points": points, "tracks": tracks, "volumes": volumes}


def main(subject, seed, count, threads):
    """Print the digest."""
    digest = sha256()
    for record in SUBJECTS[subject](int(seed), int(count), int(threads)):
        digest.update(len(record).to_bytes(8, "big") + record)
    print(digest.hexdigest())


if __name__ == "__main__":
    main(*sys.argv[1:])
