"""Files under a passphrase: what is written opens with any age tool, and nothing else opens here."""

from __future__ import annotations

import importlib.util
import os

import pytest

from detente.errors import UsageError
from detente.signing.age import CHUNK, AgeWriter, check_passphrase, is_age, open_age

WORK = 4  # sixteen: the work is the standard's own business
PASSPHRASE = "seven sad ships sail"


def write(data: bytes, *, work: int = WORK, step: int = 50_000) -> bytes:
    """An age file of some bytes."""
    parts: list[bytes] = []
    writer = AgeWriter(parts.append, PASSPHRASE, os.urandom, work)
    for at in range(0, len(data), step):
        writer.write(data[at : at + step])
    writer.close()
    return b"".join(parts)


def read(data: bytes, passphrase: str = PASSPHRASE) -> bytes:
    """What is in it."""
    return b"".join(open_age(data, passphrase))


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_file_of_any_size_opens_with_its_passphrase(size: int) -> None:
    """K-AGE-1: at and around the edges of chunks, and empty."""
    data = os.urandom(size)
    assert read(write(data)) == data
    assert is_age(write(data))


def test_file_opens_with_no_other_passphrase() -> None:
    """The error says that it is the passphrase, and does not repeat it."""
    with pytest.raises(UsageError) as caught:
        read(write(b"secret"), "seven sad ships sink")
    assert caught.value.code == "passphrase-wrong"
    assert "sink" not in str(caught.value)


def test_changed_or_cut_file_is_refused_wherever_it_was_changed() -> None:
    """K-AGE-1: every bit of the header and a bit of each chunk; cut at any chunk, or with a chunk left out."""
    data = write(os.urandom(2 * CHUNK + 10))
    header = data.index(b"\n--- ") + 50
    places = [*range(header), header + 20, len(data) // 2, len(data) - 1]
    for at in places:
        for bit in (1, 128):
            changed = bytearray(data)
            changed[at] ^= bit
            with pytest.raises(UsageError) as caught:
                read(bytes(changed))
            assert caught.value.code in {"passphrase-wrong", "backup-malformed"}
    first = len(data) - (2 * (CHUNK + 16) + 26)
    for cut in (first - 1, first, first + CHUNK + 16, len(data) - 26, len(data) - 1):
        with pytest.raises(UsageError):
            read(data[:cut])
    with pytest.raises(UsageError):
        read(data[:first] + data[first + CHUNK + 16 :])


@pytest.mark.parametrize("work", [b"0", b"04", b"21", b"99", b"x"])
def test_file_that_asks_for_too_much_work_is_refused_unread(work: bytes) -> None:
    """K-AGE-1: a hostile file fills no memory."""
    data = write(b"x").replace(b" 4\n", b" " + work + b"\n", 1)
    with pytest.raises(UsageError) as caught:
        read(data)
    assert caught.value.code == "backup-malformed"


@pytest.mark.parametrize("text", ["", "elevenchars", "x" * 1001])
def test_passphrase_that_is_too_short_or_long_is_refused(text: str) -> None:
    """K-AGE-2: who has the file has all the time in the world."""
    with pytest.raises(UsageError) as caught:
        check_passphrase(text)
    assert caught.value.code == "passphrase-wrong-length"


@pytest.mark.skipif(importlib.util.find_spec("pyrage") is None, reason="pyrage is not installed")
def test_file_opens_with_another_makers_age() -> None:
    """K-AGE-1: the format is age's own, both ways."""
    import pyrage

    data = os.urandom(CHUNK + 5)
    assert pyrage.passphrase.decrypt(write(data, work=10), PASSPHRASE) == data
    assert read(pyrage.passphrase.encrypt(data, PASSPHRASE)) == data
