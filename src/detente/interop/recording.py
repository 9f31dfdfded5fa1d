"""Recorded tracks, CSV or Parquet, one row a point: ``id,time,lat,lon,alt_ft``.

``time`` is epoch seconds (may be fractional) or RFC 3339 in Z; ``lat`` and ``lon`` are WGS84
degrees; ``alt_ft`` is pressure altitude in feet (datum STD), as transponders send it. Other columns
are left alone. Rows may come in any order; what cannot be read is refused with its row. `parse_points`
reads block by block; `parse_tracks` all at once.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from detente.errors import UsageError, shown
from detente.interop.column import read_times, read_whole
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_FT

Longs = npt.NDArray[np.int64]

COLUMNS = ("id", "time", "lat", "lon", "alt_ft")
ROWS_MAX = 20_000_000  # a day of Europe at one point every ten seconds
BLOCK_ROWS = 50_000
LINE_BYTES = 1 << 16  # a row of five numbers has 60; other columns may be there
ID_CHARS = 200  # as text of any other sender; ids are kept for the whole run
_ALT_FT_RANGE = (-5_000, 200_000)  # sensors' zero errors at one end, sounding balloons at the other


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


@dataclass(frozen=True, eq=False)
class Points:
    """Rows of a track file, in the order of the file.

    Args:
        ids: as in the file, one a row.
        row: numbers of the rows, 1 is the first after the header.
        time_us: microseconds since the epoch.
        lon_nanodeg: longitude, 1e-9 degree.
        lat_nanodeg: latitude, 1e-9 degree.
        alt_tenth_mm: pressure altitude, 0.1 mm.
    """

    ids: Sequence[str]
    row: Longs
    time_us: Longs
    lon_nanodeg: Longs
    lat_nanodeg: Longs
    alt_tenth_mm: Longs

    def __len__(self) -> int:
        return len(self.row)


def parse_tracks(data: bytes, *, parquet: bool | None = None) -> tuple[Track, ...]:
    """The tracks in a CSV or Parquet file, sorted by id.

    Args:
        data: the bytes of the file.
        parquet: the format; Parquet is known by its first four bytes when left out.

    Raises:
        UsageError: no rows, a column missing, or a value that cannot be read; `.field` names the
            row (1 is the first after the header) and column.
    """
    blocks = []
    count = 0
    for block in parse_points(io.BytesIO(data), parquet=parquet):
        blocks.append(block)
        count += len(block)
        if count > ROWS_MAX:
            raise UsageError(
                "tracks-too-many",
                f"file has more than {ROWS_MAX:,} rows; it must have at most {ROWS_MAX:,}",
            )
    return _group(
        [name for block in blocks for name in block.ids],
        np.concatenate([block.row for block in blocks]),
        *(
            np.concatenate([getattr(block, name) for block in blocks])
            for name in ("time_us", "lon_nanodeg", "lat_nanodeg", "alt_tenth_mm")
        ),
    )


def parse_points(
    file: BinaryIO, *, parquet: bool | None = None, block_rows: int = BLOCK_ROWS
) -> Iterator[Points]:
    """The rows of a track file, block by block, so that a file may be larger than memory.

    Args:
        file: opened for reading bytes; CSV may come through a pipe.
        parquet: the format; Parquet is known by its first four bytes when left out.
        block_rows: how many rows at a time.

    Raises:
        UsageError: as `parse_tracks`, when the row is reached.
    """
    if parquet is None:
        parquet = file.seekable() and file.read(4) == b"PAR1"
        if file.seekable():
            file.seek(0)
    stamps: list[bool] = []  # the first row says how times are written, for all
    count = 0
    for rows, columns in (
        _read_parquet(file, block_rows) if parquet else _read_csv(file, block_rows)
    ):
        count += len(rows)
        yield _points(rows, columns, stamps)
    if not count:
        raise UsageError("tracks-empty", "file has no rows; it must have at least one")


def _points(rows: Longs, columns: dict[str, Sequence[object]], stamps: list[bool]) -> Points:
    ids = [name if isinstance(name, str) else str(name) for name in columns["id"]]
    for at, name in enumerate(ids):
        if not 0 < len(name) <= ID_CHARS:
            raise UsageError(
                "track-id",
                "id is empty; every row must have one"
                if not name
                else f"id is {shown(name)}; it must have at most {ID_CHARS} characters",
                field=f"row {rows[at]}, id",
            )
    if not "".join(ids).isprintable():  # ids are shown on terminals
        at = next(k for k, name in enumerate(ids) if not name.isprintable())
        raise UsageError(
            "track-id",
            f"id is {shown(ids[at])}; it must have printable characters only",
            field=f"row {rows[at]}, id",
        )
    lat = read_whole(columns["lat"], "lat", (-90, 90), "degrees", NANODEG_PER_DEG, rows)
    lon = read_whole(columns["lon"], "lon", (-180, 180), "degrees", NANODEG_PER_DEG, rows)
    alt = read_whole(columns["alt_ft"], "alt_ft", _ALT_FT_RANGE, "feet", TENTH_MM_PER_FT, rows)
    return Points(ids, rows, read_times(columns["time"], rows, stamps), lon, lat, alt)


def _lines(file: BinaryIO) -> Iterator[str]:
    """Lines as text; one that never ends is refused before it fills the memory."""
    at = 0
    while line := file.readline(LINE_BYTES):
        if at == 0 and line.startswith(b"PAR1"):
            raise UsageError(
                "tracks-pipe",
                "the input is Parquet from a pipe; it must be a file, since its index is at the end",
            )
        if len(line) == LINE_BYTES:
            raise UsageError(
                "tracks-line",
                f"the line at byte {at} is longer than {LINE_BYTES:,} bytes; it must be shorter",
            )
        try:
            yield line.decode("utf-8-sig" if at == 0 else "utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(
                "tracks-not-utf8",
                f"byte {at + error.start} is {shown(line[error.start : error.start + 1])}; "
                "a track file must be Parquet or CSV in UTF-8",
            ) from None
        at += len(line)


Block = tuple[Longs, dict[str, Sequence[object]]]


def _read_csv(file: BinaryIO, block_rows: int) -> Iterator[Block]:
    reader = csv.reader(_lines(file))
    try:
        header = [name.strip() for name in next(reader, [])]
        places = _places(header)
        wide = len(header)
        pick = itemgetter(*(places[name] for name in COLUMNS))
        row = 0
        more = True
        while more:
            more = False
            numbers: list[int] = []
            found: list[tuple[str, ...]] = []
            for cells in islice(reader, block_rows):
                more = True
                row += 1
                if len(cells) != wide:
                    if not cells:
                        continue
                    raise UsageError(
                        "tracks-row",
                        f"row has {len(cells)} cells; it must have {wide}, like the header",
                        field=f"row {row}",
                    )
                numbers.append(row)
                found.append(pick(cells))
            if not numbers:
                continue
            columns: dict[str, Sequence[object]] = dict(
                zip(COLUMNS, zip(*found, strict=True), strict=True)
            )
            columns["id"] = [str(name).strip() for name in columns["id"]]
            yield np.array(numbers, dtype=np.int64), columns
    except csv.Error as error:
        raise UsageError("tracks-malformed", f"{error}; the file must be CSV") from None


def _read_parquet(file: BinaryIO, block_rows: int) -> Iterator[Block]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise UsageError(
            "parquet-not-installed",
            "file is Parquet; reading it must have the package pyarrow",
            hint="install detente[parquet], or save the tracks as CSV",
        ) from None
    row = 1
    try:
        table = pyarrow.parquet.ParquetFile(file, pre_buffer=False)
        _places(list(table.schema_arrow.names))
        for name in COLUMNS:
            _check_type(name, table.schema_arrow.field(name).type)
        # One row group after another: asked for all at once, the reader keeps what it has read.
        batches = (
            batch
            for group in range(table.num_row_groups)
            for batch in table.iter_batches(block_rows, [group], list(COLUMNS))
        )
        for batch in batches:
            found: dict[str, Sequence[object]] = {}
            for name in COLUMNS:
                column = batch.column(batch.schema.get_field_index(name))
                kind = column.type
                if name == "id":
                    found[name] = ["" if v is None else str(v) for v in column.to_pylist()]
                elif (
                    pyarrow.types.is_floating(kind)
                    or pyarrow.types.is_integer(kind)
                    or pyarrow.types.is_timestamp(kind)
                ):
                    found[name] = column.to_numpy(zero_copy_only=False)  # None becomes NaN or NaT
                else:
                    found[name] = column.to_pylist()
            yield np.arange(row, row + batch.num_rows, dtype=np.int64), found
            row += batch.num_rows
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise UsageError(
            "tracks-malformed",
            f"{shown(str(error), most_chars=200)}; the file must be whole and Parquet",
            hint="a copy that broke off has no end mark; copy the file again",
        ) from None


def _check_type(name: str, kind: Any) -> None:
    """Refuses a Parquet column whose values only look like what is wanted (a flag, a list, bytes).

    Raises:
        UsageError: ``tracks-column``.
    """
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    good = types.is_integer(kind) or types.is_string(kind) or types.is_large_string(kind)
    good = good or types.is_floating(kind) or types.is_decimal(kind)
    if not (good or (name == "time" and types.is_timestamp(kind))):
        raise UsageError(
            "tracks-column",
            f"column {name} is of type {shown(str(kind))}; it must be of numbers or text"
            + (", or a timestamp" if name == "time" else ""),
            field=name,
        )


def _places(header: Sequence[str]) -> dict[str, int]:
    lacking = [name for name in COLUMNS if name not in header]
    twice = [name for name in COLUMNS if header.count(name) > 1]
    if lacking or twice:
        raise UsageError(
            "tracks-column",
            f"header is {shown(list(header), most_chars=200)}; it must have each of the columns "
            f"{', '.join(COLUMNS)} once: "
            + " and ".join(
                f"{', '.join(names)} {verb}"
                for names, verb in (
                    (lacking, "is missing" if len(lacking) == 1 else "are missing"),
                    (twice, "stands there more than once"),
                )
                if names
            ),
            hint="alt_ft is pressure altitude in feet; other units must be turned into feet first"
            if "alt_ft" in lacking and any("alt" in name.lower() for name in header)
            else "",
            field=(lacking or twice)[0],
        )
    return {name: header.index(name) for name in COLUMNS}


def _group(
    ids: Sequence[object], row: Longs, time: Longs, lon: Longs, lat: Longs, alt: Longs
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
        rows = sorted((int(row[order[at]]), int(row[order[at + 1]])))
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
