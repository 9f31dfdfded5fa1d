"""The history of other logs' heads: the same in the store and on the simulator's disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from detente.ledger.witness import Witnessed
from detente.limits import WITNESSED_SLOT_S, WITNESSED_WHOLE
from detente.node.store import Store
from detente.simulation.disk import Disk


@pytest.fixture(params=["store", "disk"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Both places where heads are kept."""
    if request.param == "disk":
        yield Disk()
        return
    opened = Store.at(tmp_path / "x.db")
    yield opened
    opened.close()


def head(size: int, time_s: int = 1, origin: str = "detente/south/log/1") -> Witnessed:
    """A head, by its size and time."""
    return Witnessed(origin, size, time_s, size.to_bytes(32, "big"), f"note {size} {time_s}")


def test_heads_around_an_index_are_the_nearest_kept(journal: Any) -> None:
    """`witnessed_before` and `witnessed_after` give the two heads between which an entry came into a log."""
    for size in (3, 8, 5):
        journal.put_witnessed(head(size))
    journal.put_witnessed(head(4, origin="detente/east/log/1"))
    origin = head(1).origin
    assert journal.witnessed_before(origin, 4) == head(3)
    assert journal.witnessed_after(origin, 4) == head(5)
    assert journal.witnessed_before(origin, 5) == head(5)
    assert journal.witnessed_after(origin, 5) == head(8)
    assert journal.witnessed_before(origin, 2) is None
    assert journal.witnessed_after(origin, 8) is None
    assert journal.witnessed(origin, 8) == head(8)
    assert journal.witnessed(origin, 7) is None


def test_heads_around_an_index_by_name_are_those_with_a_line_of_it(journal: Any) -> None:
    """B-INT-8: of each neutral witness the nearest heads that it signed; a name within a name is another's."""
    lines = {3: "detente/un", 5: "detente/un2", 8: "detente/u_", 9: "detente/un"}
    for size, name in lines.items():
        note = f"detente/south/log/1\n{size}\n\n\u2014 {name} AAAA\n"
        journal.put_witnessed(Witnessed(head(1).origin, size, 1, bytes(32), note))
    origin = head(1).origin
    before = journal.witnessed_before(origin, 6, "detente/un")
    after = journal.witnessed_after(origin, 6, "detente/un")
    assert (before.size, after.size) == (3, 9)
    assert journal.witnessed_before(origin, 6, "detente/east") is None
    assert journal.witnessed_before(origin, 6).size == 5


def test_tree_of_an_unknown_mirror_is_empty(journal: Any) -> None:
    """A log that nobody mirrors here has a tree of nothing, from which nothing can be proved."""
    assert journal.mirrored_tree("detente/south/log/1").size == 0


def test_head_of_one_size_is_replaced(journal: Any) -> None:
    """A head is kept once for each size, with what was last put there."""
    journal.put_witnessed(head(3, 1))
    journal.put_witnessed(head(3, 2))
    assert journal.witnessed(head(3).origin, 3) == head(3, 2)


def test_old_heads_are_thinned_to_the_first_and_last_of_each_ten_minutes(journal: Any) -> None:
    """L-WIT-6: the newest are whole; of older ones none is missing at either end of a slot."""
    step_s = WITNESSED_SLOT_S // 4
    count = WITNESSED_WHOLE + 40
    for size in range(1, count + 1):
        journal.put_witnessed(head(size, size * step_s))
    origin = head(1).origin
    kept = [size for size in range(1, count + 1) if journal.witnessed(origin, size)]
    old = [size for size in range(1, count + 1) if size <= count - WITNESSED_WHOLE]
    slots: dict[int, list[int]] = {}
    for size in old:
        slots.setdefault(size * step_s // WITNESSED_SLOT_S, []).append(size)
    ends = {size for sizes in slots.values() for size in (sizes[0], sizes[-1])}
    assert set(kept) - set(old) == set(range(count - WITNESSED_WHOLE + 1, count + 1))
    assert ends <= set(kept)
    assert len(set(kept) & set(old)) <= len(ends) + 1
    assert len(ends) < len(old)
