"""Which geometry is a shape at all: closed, not empty, not crossing itself, not absurdly large."""

from __future__ import annotations

from detente.airspace.area import Geometry


def check_geometry(geometry: Geometry, edges: str, *, field: str) -> None:
    """Refuses a geometry that has no well-defined inside.

    Raises:
        UsageError: unclosed, empty, repeated or crossing edges, an edge over 180 degrees, too large.
    """
