"""One run over several commands: what a courier brings back comes to the run that wrote what was taken along.

A frame counts only in the run that it answers (docs/spec/link.md, F-CUR-1), and each start of a program is another
run: else a record restored from an old backup could take an old frame for agreement. A command on a node that does
not run lives for a moment. So the run, and what it knows of its lines, is kept in `DIR/courier.run` between such
commands, and taken up only where nothing can have gone back meanwhile (F-COU-3).
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from detente.node.home import Home
from detente.protocol.core import Core
from detente.protocol.link import Link

BOOT = Path("/proc/sys/kernel/random/boot_id")


class _Kept(msgspec.Struct, forbid_unknown_fields=True):
    """What is kept, and what it is bound to.

    Attributes:
        place: boot of the machine, device and inode of this very file: a copy of the directory, a restored
            snapshot or a restarted machine is another place.
        entries, root: of the ledger: one that has gone back, or on without us, is another ledger.
    """

    place: str
    entries: int
    root: bytes
    run: str
    frames: int
    links: dict[str, Link]


def _path(home: Home) -> Path:
    return home.path / "courier.run"


def _place(path: Path) -> str:
    found = path.stat()
    boot = BOOT.read_text().strip() if BOOT.is_file() else "unknown"
    return f"{boot}/{found.st_dev}/{found.st_ino}"


def take_up(home: Home, core: Core) -> bool:
    """Go on with the run of the last command, if its file fits this place and this ledger exactly.

    The file is gone afterwards: a command that dies leaves no run behind, and the next begins another.
    """
    path = _path(home)
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
        fits = kept.place == _place(path)
    except (OSError, msgspec.DecodeError):
        return False
    # emptied, and not removed: the file goes on, and with it its inode
    os.truncate(path, 0)
    if not fits or (kept.entries, kept.root) != (core.tree.size, core.tree.root()):
        return False
    core.run, core.frames_written, core.links = kept.run, kept.frames, kept.links
    return True


def put_down(home: Home, core: Core) -> None:
    """Keep the run for the next command, once any file has been written or taken in it."""
    if not core.frames_written:
        return
    path = _path(home)
    path.touch(mode=0o600)
    kept = _Kept(
        place=_place(path),
        entries=core.tree.size,
        root=core.tree.root(),
        run=core.run,
        frames=core.frames_written,
        links=core.links,
    )
    with path.open("r+b") as file:
        file.truncate()
        file.write(msgspec.json.encode(kept))
        file.flush()
        os.fsync(file.fileno())


def give_up(home: Home) -> None:
    """A node that is served is a run of its own."""
    _path(home).unlink(missing_ok=True)
