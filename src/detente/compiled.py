"""Loops over arrays, compiled by numba where it is there.

numba is an option (``pip install detente[speed]``). Whatever is decorated here must also be reachable
another way: a door asks `HAS_COMPILER` and else takes its chunked numpy path, which gives the same
answers. Importing numba takes 0.4 s, so modules that use this decorator are imported when they are
first needed, never at the start of a command or a node.

No fast-math and no fused multiply-add: each operation is the IEEE-754 one that is written, in the
order that is written. Threads are the caller's: compiled loops let go of the interpreter's lock, so
`split` may run them side by side; numba's own threads are not used, because two callers at once would
end the process (its workqueue layer is not made for that).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import pairwise
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

# DETENTE_COMPILED=0 takes the numpy paths where numba is there; the tests compare the two.
HAS_COMPILER = os.environ.get("DETENTE_COMPILED", "1") != "0" and find_spec("numba") is not None


def compiled(function: F) -> F:
    """The function compiled at its first call and kept on disk; as it is where there is no numba."""
    if not HAS_COMPILER:
        return function
    import numba

    options: dict[str, Any] = {"fastmath": False, "error_model": "numpy", "nogil": True}
    made: Any
    try:
        made = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # neither beside the source nor in the user's own folder can it be kept
        made = numba.njit(**options)(function)
    return cast("F", made)


def threads_of(asked: int | None = None) -> int:
    """How many threads to use: as asked, else one a processor that this process may use, at most 8."""
    if asked is not None:
        return max(1, asked)
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(8, usable or 1))


def split(work: Callable[[int, int], T], count: int, threads: int) -> list[T]:
    """Results of ``work(start, stop)`` over equal slices of ``range(count)``, in order.

    Args:
        work: lets go of the interpreter's lock, as compiled loops do.
        count: how many items there are.
        threads: how many slices, and threads.
    """
    bounds = [count * k // threads for k in range(threads + 1)]
    if threads == 1:
        return [work(0, count)]
    return side_by_side(
        [lambda a=a, b=b: work(a, b) for a, b in pairwise(bounds)]  # type: ignore[misc]
    )


def side_by_side(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """Results of jobs that run each in a thread of its own, in the order of the jobs."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result() for future in [pool.submit(job) for job in jobs]]
