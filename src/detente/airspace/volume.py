"""Where and when at once: one piece of airspace for one interval."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from detente.airspace.altitude import Altitude, check_band, parse_altitude_body
from detente.airspace.area import EDGE_KINDS, Geometry, Moving, parse_geometry_body
from detente.airspace.rules import check_geometry
from detente.errors import UsageError, shown
from detente.limits import INTERVAL_MAX_S
from detente.units import US_PER_S, format_time, parse_time


class Volume(msgspec.Struct, frozen=True):
    """An area with its band of altitudes and its half-open interval [start, end).

    Args:
        geometry: circle, corridor, area or moving; of a moving one the interval is that of its times.
        edges: ``"planar"`` (straight in longitude and latitude) or ``"geodesic"``.
        lower: lower edge of the band.
        upper: upper edge of the band.
        start_us: first microsecond, since the epoch.
        end_us: first microsecond after.

    Build one with `build_volume`, which checks every rule.
    """

    geometry: Geometry
    edges: str
    lower: Altitude
    upper: Altitude
    start_us: int
    end_us: int

    def body(self) -> dict[str, object]:
        """The canonical JSON form: integers, names and RFC 3339 times."""
        return {
            "geometry": self.geometry.body(),
            "edges": self.edges,
            "lower": self.lower.body(),
            "upper": self.upper.body(),
            "start": format_time(self.start_us),
            "end": format_time(self.end_us),
        }


def build_volume(
    geometry: Geometry,
    edges: object,
    lower: Altitude,
    upper: Altitude,
    start_us: int,
    end_us: int,
    *,
    field: str,
    names: Mapping[str, str] | None = None,
) -> Volume:
    """A `Volume` with every rule checked.

    Args:
        geometry: built by `area`.
        edges: the declared kind of edge.
        lower: lower edge.
        upper: upper edge.
        start_us: start of the interval.
        end_us: end of the interval.
        field: the path an error shows.
        names: where the parts stood in the input, when not ``field.part``.

    Raises:
        UsageError: unknown edges, an empty band or interval, an interval past the limit, or a
            geometry that `rules.check_geometry` refuses.
    """
    path = {part: f"{field}.{part}" for part in ("geometry", "edges", "upper", "end")}
    path.update(names or {})
    if edges not in EDGE_KINDS:
        raise UsageError(
            "edges-unknown",
            f"edges is {shown(edges)}; it must be planar or geodesic",
            field=path["edges"],
        )
    check_band(lower, upper, field=path["upper"])
    if end_us <= start_us:
        raise UsageError(
            "interval-empty",
            f"end is {format_time(end_us)} and start is {format_time(start_us)}; "
            "end must be after start",
            field=path["end"],
        )
    if end_us - start_us > INTERVAL_MAX_S * US_PER_S:
        raise UsageError(
            "interval-too-long",
            f"interval is {(end_us - start_us) // (86_400 * US_PER_S)} days; "
            f"it must be at most {INTERVAL_MAX_S // 86_400} days",
            hint="file a standing area again each year",
            field=path["end"],
        )
    check_geometry(geometry, str(edges), field=path["geometry"])
    if isinstance(geometry, Moving) and (start_us, end_us) != (
        geometry.times_us[0],
        geometry.times_us[-1],
    ):
        raise UsageError(
            "interval-of-times",
            f"interval is {format_time(start_us)} to {format_time(end_us)} and the times are "
            f"{format_time(geometry.times_us[0])} to {format_time(geometry.times_us[-1])}; "
            "they must begin and end together",
            hint="leave start and end out, or give the first and the last of the times",
            field=path["end"],
        )
    return Volume(geometry, str(edges), lower, upper, start_us, end_us)


def parse_volume_body(value: object, *, field: str) -> Volume:
    """A volume from its canonical form, written by a peer whom we need not believe.

    Raises:
        UsageError: the form differs from `Volume.body`, or a rule of `build_volume`.
    """
    keys = {"geometry", "edges", "lower", "upper", "start", "end"}
    if not isinstance(value, Mapping) or set(value) != keys:
        found = sorted(map(str, value)) if isinstance(value, Mapping) else value
        raise UsageError(
            "piece-malformed",
            f"piece has {shown(found)}; it must have exactly {', '.join(sorted(keys))}",
            field=field,
        )
    times = []
    for part in ("start", "end"):
        time_us = parse_time(value[part], field=f"{field}.{part}")
        if format_time(time_us) != value[part]:
            raise UsageError(
                "time-not-canonical",
                f"time is {shown(value[part])}; it must be {format_time(time_us)}",
                field=f"{field}.{part}",
            )
        times.append(time_us)
    return build_volume(
        parse_geometry_body(value["geometry"], field=f"{field}.geometry"),
        value["edges"],
        parse_altitude_body(value["lower"], field=f"{field}.lower"),
        parse_altitude_body(value["upper"], field=f"{field}.upper"),
        times[0],
        times[1],
        field=field,
    )
