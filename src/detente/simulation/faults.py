"""What can go wrong in a simulation, and how often."""

from __future__ import annotations

import msgspec

from detente.errors import UsageError, shown

WORDS: dict[str, str] = {
    "loss": "a frame never arrives",
    "duplication": "a frame arrives twice",
    "reordering": "a frame arrives long after later ones",
    "partition": "two nodes cannot reach each other for minutes",
    "crash": "a node dies between any two effects of a job, or just before or after its commit, and starts again",
    "torn-write": "a node dies in the middle of a commit; what was written of it is undone at the start",
    "disk-full": "a node cannot write for a while",
    "clock-skew": "a node's clock is minutes off, and jumps",
    "rotation": "a party's signing key is replaced while statements are under way",
    "stale-restore": "a node is restored from an old backup, finds out from its peers, and recovers",
    "lies": "a party of the agreement lies, as the catalogue of dishonesty has it",
}
NAMES = tuple(WORDS)


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """Which faults happen; what each is, `WORDS` says."""

    loss: bool = False
    duplication: bool = False
    reordering: bool = False
    partition: bool = False
    crash: bool = False
    torn_write: bool = False
    disk_full: bool = False
    clock_skew: bool = False
    rotation: bool = False
    stale_restore: bool = False
    lies: bool = False


# Per mille of frames or commits, chosen so that an hour of two nodes meets every fault many times.
LOSS = 80
DUPLICATION = 80
REORDERING = 80
CRASH = 6
CRASH_WRITE = 5_000  # one write in so many
TORN = 4


def parse_faults(text: str) -> Faults:
    """Faults from ``all``, ``none`` or names separated by commas.

    Raises:
        UsageError: ``fault-unknown``.

    Example:
        >>> parse_faults("loss,disk-full").disk_full, parse_faults("none").loss
        (True, False)
    """
    names = {"all": list(NAMES), "none": [], "": []}.get(text, text.split(","))
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise UsageError(
            "fault-unknown",
            f"fault is {shown(unknown[0])}; it must be all, none, or of {', '.join(NAMES)}",
            field="faults",
        )
    return Faults(**{name.replace("-", "_"): True for name in names})
