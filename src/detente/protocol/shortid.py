"""An id as people type it: whole, or its first figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")


def with_id(known: Mapping[str, T], wanted: str, least: int) -> list[T]:
    """What has this id, or, from `least` figures on, all whose id begins so; one is the answer, more are too many.

    Example:
        >>> with_id({"abc1": 1, "abd2": 2}, "abc", 3), with_id({"abc1": 1, "abd2": 2}, "ab", 2)
        ([1], [1, 2])
    """
    if wanted in known:
        return [known[wanted]]
    return [one for id_, one in known.items() if len(wanted) >= least and id_.startswith(wanted)]
