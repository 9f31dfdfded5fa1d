"""What a mirror takes: packages that belong to a head, and nothing else."""

from __future__ import annotations

import pytest

from detente.errors import PeerError, UsageError
from detente.ledger.merkle import MerkleTree, leaf_hash
from detente.ledger.mirror import (
    MirrorInfo,
    Package,
    Upload,
    UploadParser,
    check_quota,
    make_package,
    parse_info,
    verify_package,
)
from detente.limits import MIRROR_BYTES, MIRROR_ENTRY_BYTES

ENTRIES = [b"entry %d" % n for n in range(1000)]
TREE = MerkleTree(leaf_hash(entry) for entry in ENTRIES)
ORIGIN = "detente/north/log/1"


def body(upload: Upload) -> bytes:
    """A whole request."""
    packages = [make_package(TREE, a, ENTRIES[a:b], upload.end) for a, b in upload.intervals()]
    return upload.encode() + b"".join(one.encode() for one in packages)


def parse(data: bytes, step: int) -> tuple[UploadParser, list[Package]]:
    """Feed a request in pieces."""
    parser, found = UploadParser(), []
    for at in range(0, len(data), step):
        parser.feed(data[at : at + step])
        found += parser.packages()
    return parser, found


@pytest.mark.parametrize("step", [1, 1000, 10**6])
@pytest.mark.parametrize(
    ("start", "end"), [(0, 1000), (0, 256), (200, 300), (256, 512), (999, 1000), (5, 5), (0, 1)]
)
def test_upload_is_read_in_any_pieces_and_each_package_verifies(
    start: int, end: int, step: int
) -> None:
    """L-MIR-1, L-MIR-2: packages end at multiples of 256, and each is proved to be in the head of the upload."""
    upload = Upload(ORIGIN, start, end)
    parser, packages = parse(body(upload), step)
    assert parser.upload == upload
    assert parser.complete
    assert [entry for one in packages for entry in one.entries] == ENTRIES[start:end]
    for one in packages:
        before = [leaf_hash(entry) for entry in ENTRIES[one.rounded : one.start]]
        verify_package(one, before, end, TREE.root(end))


def test_upload_that_breaks_off_gives_the_packages_before() -> None:
    """L-MIR-4: of a prefix whole packages count, and what was cut off in the middle does not."""
    data = body(Upload(ORIGIN, 0, 1000))
    parser, packages = parse(data[:-1], 777)
    assert not parser.complete
    assert [one.end for one in packages] == [256, 512, 768]


def test_package_of_other_entries_is_refused() -> None:
    """L-MIR-2: an entry changed, left out, or put elsewhere, or another head, and nothing of it is taken."""
    good = make_package(TREE, 256, ENTRIES[256:512], 1000)
    root = TREE.root(1000)
    changed = (b"other", *good.entries[1:])
    swapped = (good.entries[1], good.entries[0], *good.entries[2:])
    for bad in (
        Package(256, changed, good.proof),
        Package(256, swapped, good.proof),
        Package(256, good.entries[:-1], good.proof),
        Package(512, good.entries, good.proof),
        Package(256, good.entries, good.proof[:-1]),
        Package(256, good.entries, (*good.proof, bytes(32))),
    ):
        with pytest.raises(PeerError) as caught:
            verify_package(bad, [], 1000, root)
        assert caught.value.code == "consistency-invalid"
    with pytest.raises(PeerError):
        verify_package(good, [], 1000, bytes(32))


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0" + bytes(40),  # no origin
        b"\xff\xff" + bytes(70_000),  # an endless one
        b"\0\1\xff" + bytes(40),  # not UTF-8
        Upload(ORIGIN, 5, 4).encode(),
        Upload(ORIGIN, 0, 2**63).encode(),
        Upload(ORIGIN, 0, 1, bytes(2000)).encode(),
        Upload(ORIGIN, 0, 1).encode() + (MIRROR_ENTRY_BYTES + 1).to_bytes(2, "big"),
        Upload(ORIGIN, 0, 1).encode() + b"\0\0" + bytes([64]),
    ],
)
def test_hostile_upload_is_refused_as_soon_as_it_shows(data: bytes) -> None:
    """L-MIR-3: limits are checked before anything of that length is waited for."""
    with pytest.raises(PeerError) as caught:
        parse(data, 100_000)
    assert caught.value.code == "mirror-upload"
    assert caught.value.evidence


def test_upload_to_a_far_end_costs_nothing() -> None:
    """L-MIR-3: an interval of 2**63 entries is no list of packages until they come."""
    parser, packages = parse(Upload(ORIGIN, 0, 2**63 - 1).encode(), 10)
    assert packages == []
    assert not parser.complete


def test_info_goes_round_and_anything_else_is_refused() -> None:
    """L-MIR-5: three lines, two sizes and a ticket."""
    for info in (MirrorInfo(0, 0), MirrorInfo(1000, 256, b"x")):
        assert parse_info(info.encode().encode()) == info
    for bad in (b"", b"1\n2\n", b"1\n2\n\n\n", b"01\n2\n\n", b"-1\n2\n\n", b"1\n2\n!\n", b"\xff"):
        with pytest.raises(PeerError):
            parse_info(bad)


def test_party_that_fills_the_mirror_is_told_so() -> None:
    """L-MIR-6: beyond the quota of a party nothing more is stored."""
    check_quota("north", MIRROR_BYTES)
    with pytest.raises(UsageError) as caught:
        check_quota("north", MIRROR_BYTES + 1)
    assert caught.value.code == "mirror-full"
