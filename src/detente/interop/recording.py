"""Recorded tracks, CSV or Parquet, one row a point: ``id,time,lat,lon,alt_ft``.

``time`` is epoch seconds (may be fractional) or RFC 3339 in Z; ``lat`` and ``lon`` are WGS84
degrees; ``alt_ft`` is pressure altitude in feet (datum STD), as transponders send it. Other columns
are left alone. Rows may come in any order; what cannot be read is refused with its row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from detente.airspace.area import LAT_MAX_NANODEG, LON_MAX_NANODEG
from detente.errors import UsageError, shown
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_FT, US_PER_S, parse_time

Longs = npt.NDArray[np.int64]

COLUMNS = ("id", "time", "lat", "lon", "alt_ft")
ROWS_MAX = 20_000_000  # a day of Europe at one point every ten seconds
_ALT_FT_RANGE = (-5_000, 200_000)  # sensors' zero errors at one end, sounding balloons at the other
_TIME_S_RANGE = (0, 253_402_300_799)  # to the end of year 9999


@dataclass(frozen=True, eq=False)
class Track:
    """One recorded flight, its points in order of time.

    Args:
        id: as in the file.
        time_us: microseconds since the epoch, strictly increasing.
        lon_nanodeg: longitude, 1e-9 degree.
        lat_nanodeg: latitude, 1e-9 degree.
        alt_tenth_mm: pressure altitude, 0.1 mm.
    """

    id: str
    time_us: Longs
    lon_nanodeg: Longs
    lat_nanodeg: Longs
    alt_tenth_mm: Longs

    def __len__(self) -> int:
        return len(self.time_us)


def parse_tracks(data: bytes, *, parquet: bool | None = None) -> tuple[Track, ...]:
    """The tracks in a CSV or Parquet file, sorted by id.

    Args:
        data: the bytes of the file.
        parquet: the format; Parquet is known by its first four bytes when left out.

    Raises:
        UsageError: no rows, a column missing, or a value that cannot be read; `.field` names the
            row (1 is the first after the header) and column.
    """
    if parquet is None:
        parquet = data[:4] == b"PAR1"
    columns = _read_parquet(data) if parquet else _read_csv(data)
    ids = columns["id"]
    if not ids:
        raise UsageError("tracks-empty", "file has no rows; it must have at least one")
    if len(ids) > ROWS_MAX:
        raise UsageError(
            "tracks-too-many", f"file has {len(ids):,} rows; it must have at most {ROWS_MAX:,}"
        )
    for row, name in enumerate(ids, start=1):
        if not name:
            raise UsageError(
                "track-id", "id is empty; every row must have one", field=f"row {row}, id"
            )
    lat = _numbers(columns["lat"], "lat", (-90, 90), "degrees") * NANODEG_PER_DEG
    lon = _numbers(columns["lon"], "lon", (-180, 180), "degrees") * NANODEG_PER_DEG
    alt = _numbers(columns["alt_ft"], "alt_ft", _ALT_FT_RANGE, "feet") * TENTH_MM_PER_FT
    return _group(
        ids,
        _times(columns["time"]),
        np.clip(np.rint(lon), -LON_MAX_NANODEG, LON_MAX_NANODEG).astype(np.int64),
        np.clip(np.rint(lat), -LAT_MAX_NANODEG, LAT_MAX_NANODEG).astype(np.int64),
        np.rint(alt).astype(np.int64),
    )


def _read_csv(data: bytes) -> dict[str, Sequence[object]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            "tracks-not-utf8",
            f"byte {error.start} is {shown(data[error.start : error.start + 1])}; "
            "a track file must be Parquet or CSV in UTF-8",
        ) from None
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [name.strip() for name in next(reader, [])]
        places = _places(header)
        found: dict[str, list[object]] = {name: [] for name in COLUMNS}
        for row, cells in enumerate(reader, start=1):
            if not cells:
                continue
            if len(cells) != len(header):
                raise UsageError(
                    "tracks-row",
                    f"row has {len(cells)} cells; it must have {len(header)}, like the header",
                    field=f"row {row}",
                )
            for name, place in places.items():
                found[name].append(cells[place].strip())
    except csv.Error as error:
        raise UsageError("tracks-malformed", f"{error}; the file must be CSV") from None
    return {**found}


def _read_parquet(data: bytes) -> dict[str, Sequence[object]]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise UsageError(
            "parquet-not-installed",
            "file is Parquet; reading it must have the package pyarrow",
            hint="install detente[parquet], or save the tracks as CSV",
        ) from None
    try:
        table = pyarrow.parquet.read_table(io.BytesIO(data))
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise UsageError(
            "tracks-malformed", f"{shown(str(error))}; the file must be Parquet"
        ) from None
    places = _places(list(table.column_names))
    found: dict[str, Sequence[object]] = {}
    for name, place in places.items():
        values = table.column(place).to_pylist()
        found[name] = ["" if v is None else str(v) for v in values] if name == "id" else values
    return found


def _places(header: Sequence[str]) -> dict[str, int]:
    for name in COLUMNS:
        if header.count(name) != 1:
            raise UsageError(
                "tracks-column",
                f"header is {shown(list(header))}; it must have the column {name} once "
                f"(columns: {', '.join(COLUMNS)})",
                field=name,
            )
    return {name: header.index(name) for name in COLUMNS}


def _numbers(
    values: Sequence[object], name: str, most: tuple[int, int], unit: str
) -> npt.NDArray[np.float64]:
    """A column of numbers, every one finite and in range."""
    try:
        numbers = np.array(values, dtype=np.float64)
    except (ValueError, TypeError):
        numbers = np.array([_number(value) for value in values])
    bad = ~((numbers >= most[0]) & (numbers <= most[1]))  # true for NaN too
    if bad.any():
        row = int(np.nonzero(bad)[0][0])
        raise UsageError(
            "tracks-value",
            f"{name} is {shown(values[row])}; it must be a number from {most[0]:,} to "
            f"{most[1]:,} {unit}",
            hint="lat and lon look swapped"
            if name == "lat" and 90 < abs(float(numbers[row])) <= 180
            else "",
            field=f"row {row + 1}, {name}",
        )
    return numbers


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return float("nan")


def _times(values: Sequence[object]) -> Longs:
    first = values[0]
    if isinstance(first, datetime):
        return np.array([_stamp(value, row) for row, value in enumerate(values, 1)], np.int64)
    if isinstance(first, str) and "T" in first:
        texts = (parse_time(v, field=f"row {row}, time") for row, v in enumerate(values, 1))
        return np.fromiter(texts, np.int64, len(values))
    seconds = _numbers(values, "time", _TIME_S_RANGE, "seconds since 1970, or RFC 3339 in Z")
    return np.rint(seconds * US_PER_S).astype(np.int64)


def _stamp(value: object, row: int) -> int:
    if not isinstance(value, datetime):
        raise UsageError(
            "tracks-value",
            f"time is {shown(value)}; it must be a time",
            field=f"row {row}, time",
        )
    moment = value if value.tzinfo else value.replace(tzinfo=UTC)
    gap = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (gap.days * 86_400 + gap.seconds) * US_PER_S + gap.microseconds


def _group(
    ids: Sequence[object], time: Longs, lon: Longs, lat: Longs, alt: Longs
) -> tuple[Track, ...]:
    names = sorted({str(name) for name in ids})
    number = {name: k for k, name in enumerate(names)}
    owner = np.fromiter((number[str(name)] for name in ids), np.int64, len(ids))
    order = np.lexsort((time, owner))
    owner, time, lon, lat, alt = owner[order], time[order], lon[order], lat[order], alt[order]
    again = (owner[1:] == owner[:-1]) & (time[1:] == time[:-1])
    differs = again & ((lon[1:] != lon[:-1]) | (lat[1:] != lat[:-1]) | (alt[1:] != alt[:-1]))
    if differs.any():
        at = int(np.nonzero(differs)[0][0])
        rows = sorted((int(order[at]) + 1, int(order[at + 1]) + 1))
        raise UsageError(
            "tracks-two-places",
            f"rows {rows[0]} and {rows[1]} put {shown(names[owner[at]])} in two places at one "
            "time; each time of a track must have one place",
            field=f"row {rows[1]}",
        )
    keep = np.concatenate(([True], ~again))
    owner, time, lon, lat, alt = owner[keep], time[keep], lon[keep], lat[keep], alt[keep]
    edges = np.searchsorted(owner, np.arange(len(names) + 1))
    return tuple(
        Track(name, time[start:stop], lon[start:stop], lat[start:stop], alt[start:stop])
        for name, start, stop in zip(names, edges[:-1], edges[1:], strict=True)
    )
