"""Recorded tracks: from a file to flights, and from flights to notices.

::

    tracks = parse_tracks(path_bytes)          # CSV or Parquet, see `recording`
    notices = corridor_notices(tracks)         # one 4D corridor notice for each, see `flights`
"""

from __future__ import annotations

from detente.interop.flights import corridor_notices
from detente.interop.recording import Track, parse_tracks

__all__ = ["Track", "corridor_notices", "parse_tracks"]
