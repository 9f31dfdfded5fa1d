"""Chance: every random choice of a simulation, from one seed, the same on every machine.

splitmix64 of Steele, Lea and Flood: a 64-bit counter in steps of the golden ratio, scrambled. It is fast,
it splits, and it is no cryptography; keys and salts of simulated nodes come from it too, because a
simulation proves nothing anyway.

Source: G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")

_MASK = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15


class Chance:
    """A stream of choices; the same seed makes the same ones.

    Example:
        >>> [Chance(0).next(), Chance(0).below(6), Chance(1).below(6)]
        [16294208416658607535, 5, 3]
    """

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def next(self) -> int:
        """The next 64 bits."""
        self._state = (self._state + _GOLDEN) & _MASK
        bits = self._state
        bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & _MASK
        return bits ^ (bits >> 31)

    def below(self, count: int) -> int:
        """A whole number in 0..count-1 (the bias is below count / 2**64)."""
        return (self.next() * count) >> 64

    def between(self, least: int, most: int) -> int:
        """A whole number in least..most."""
        return least + self.below(most - least + 1)

    def happens(self, per_mille: int) -> bool:
        """True so many times in a thousand."""
        return self.below(1000) < per_mille

    def pick(self, items: Sequence[Item]) -> Item:
        """One of the items."""
        return items[self.below(len(items))]

    def bytes(self, count: int) -> bytes:
        """So many bytes."""
        words = b"".join(self.next().to_bytes(8, "big") for _ in range((count + 7) // 8))
        return words[:count]

    def split(self) -> Chance:
        """A stream of its own, so that one part of a simulation does not shift another's choices."""
        return Chance(self.next())
