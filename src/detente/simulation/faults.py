"""What can go wrong in a simulation, and how often."""

from __future__ import annotations

import msgspec

from detente.errors import UsageError, shown


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """Which faults happen.

    Attributes:
        loss: a frame never arrives.
        duplication: a frame arrives twice.
        reordering: a frame arrives long after later ones.
        partition: two nodes cannot reach each other for minutes.
        crash: a node dies just before or just after a commit, and starts again.
        disk_full: a node cannot write for a while.
        clock_skew: a node's clock is minutes off, and jumps.
    """

    loss: bool = False
    duplication: bool = False
    reordering: bool = False
    partition: bool = False
    crash: bool = False
    disk_full: bool = False
    clock_skew: bool = False


NAMES = tuple(name.replace("_", "-") for name in Faults.__struct_fields__)

# Per mille of frames or commits, chosen so that an hour of two nodes meets every fault many times.
LOSS = 80
DUPLICATION = 80
REORDERING = 80
CRASH = 6


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
