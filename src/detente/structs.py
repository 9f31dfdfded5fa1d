"""Makes the data classes ready before there is more than one thread.

msgspec reads the annotations of a class when something is first decoded into it, and keeps what it has read
before it is whole. A second thread that decodes into the same class meanwhile ends the process by signal 11
(seen with msgspec 0.22.0 under load; tests/unit/test_structs.py). Once read, a class is safe.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec


def prepare_structs() -> int:
    """Have every data class of ours that is loaded by now read, and say how many were; call it before starting a thread."""
    return sum(map(_prepared, _structs(msgspec.Struct)))


def _prepared(kind: type[msgspec.Struct]) -> bool:
    try:
        msgspec.json.Decoder(kind)
    except (TypeError, NameError):  # it holds what cannot be decoded, and so never is
        return False
    return True


def _structs(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for one in kind.__subclasses__():
        if one.__module__.startswith("detente."):
            yield one
        yield from _structs(one)
