"""A column of a track file as whole numbers: read as decimals and rounded once, half to even.

That is section 1 of docs/spec/airspace-model.md. Floating point reads what it surely reads right; a value
that may lie half way between two whole numbers is read again as the decimal that it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from detente.errors import UsageError, shown
from detente.units import US_PER_S, parse_time

Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

TIME_S_RANGE = (0, 253_402_300_799)  # to the end of year 9999
_PER_S = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def read_whole(
    values: Sequence[object], name: str, most: tuple[int, int], unit: str, factor: int, rows: Longs
) -> Longs:
    """A column of numbers as whole counts of a smaller unit, every one finite and in range.

    Args:
        values: texts or numbers, one a row.
        name: of the column.
        most: least and greatest value, in the column's unit.
        unit: of the column, in words.
        factor: how many of the smaller unit make one of the column's.
        rows: numbers of the rows.

    Raises:
        UsageError: ``tracks-value``, with row, column and value.
    """
    numbers = _floats(values)
    bad = ~((numbers >= most[0]) & (numbers <= most[1]))  # true for NaN too
    if bad.any():
        at = int(np.nonzero(bad)[0][0])
        raise UsageError(
            "tracks-value",
            f"{name} is {shown(_plain(values[at]))}; it must be a number from {most[0]:,} to "
            f"{most[1]:,} {unit}",
            hint="lat and lon look swapped"
            if name == "lat" and 90 < abs(float(numbers[at])) <= 180
            else "",
            field=f"row {rows[at]}, {name}",
        )
    scaled = numbers * factor
    nearest = np.rint(scaled)
    # A decimal is off by half a step of its float at most, its multiple by that and half a step of its own.
    off = (np.spacing(np.abs(numbers)) * factor + np.spacing(np.abs(scaled))) * 0.501
    whole = nearest.astype(np.int64)
    for at in np.nonzero(np.abs(scaled - nearest) >= 0.5 - off)[0].tolist():
        value: Any = _plain(values[at])
        exact = Fraction(Decimal(value.strip()) if isinstance(value, str) else value)
        whole[at] = round(exact * factor)
    return whole


def read_times(values: Sequence[object], rows: Longs, stamps: list[bool]) -> Longs:
    """A column of times, microseconds since the epoch.

    Args:
        values: epoch seconds or RFC 3339 in Z, all as the first of the file; or stamps of a Parquet file.
        rows: numbers of the rows.
        stamps: empty before the first block; then whether times are RFC 3339.

    Raises:
        UsageError: ``tracks-value``, ``time-malformed``, with the row.
    """
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        return _read_stamps(values, rows)
    if not stamps:
        stamps.append(isinstance(values[0], str) and "T" in values[0])
    if stamps[0]:
        texts = (
            parse_time(v.strip() if isinstance(v, str) else v, field=f"row {row}, time")
            for row, v in zip(rows, values, strict=True)
        )
        return np.fromiter(texts, np.int64, len(values))
    return read_whole(
        values,
        "time",
        TIME_S_RANGE,
        "seconds since 1970, or else RFC 3339 in Z in every row",
        US_PER_S,
        rows,
    )


def _read_stamps(values: npt.NDArray[np.datetime64], rows: Longs) -> Longs:
    """Stamps of any fineness, from 1970 to the end of year 9999."""
    per = _PER_S[np.datetime_data(values.dtype)[0]]
    counts: Longs = values.view(np.int64)
    bad = ~(
        (counts >= 0) & (counts <= min(TIME_S_RANGE[1] * per, 2**63 - 1))
    )  # true for none at all
    if bad.any():
        at = int(np.nonzero(bad)[0][0])
        value = "empty" if np.isnat(values[at]) else str(values[at])
        raise UsageError(
            "tracks-value",
            f"time is {value}; it must be from 1970-01-01 to the end of year 9999",
            field=f"row {rows[at]}, time",
        )
    if per <= US_PER_S:
        return counts * (US_PER_S // per)
    fine = per // US_PER_S
    whole, rest = counts // fine, counts % fine * 2
    up: Longs = whole + ((rest > fine) | ((rest == fine) & (whole % 2 == 1)))
    return up


def _floats(values: Sequence[object]) -> Floats:
    """Every value as a float, NaN where it is no number."""
    try:
        text = "".join(values) if isinstance(values[0], str) else ""  # type: ignore[arg-type]
        if (
            text.isascii() and "_" not in text
        ):  # what Python reads beyond that, no other reader would
            return np.array(values, dtype=np.float64)
    except (ValueError, TypeError):
        pass
    return np.array([_float(value) for value in values])


def _float(value: object) -> float:
    if isinstance(value, str) and (not value.isascii() or "_" in value):
        return float("nan")
    try:
        return float(value)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return float("nan")


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value
