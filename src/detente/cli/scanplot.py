"""A picture of a scan: the conflicts on a map and over time. Needs the extra `plot` (matplotlib)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from detente.cli.scan import Scan
from detente.conflict.spell import CLOSEST, FROM, LATERAL, UNTIL, VERTICAL
from detente.errors import UsageError
from detente.units import NANODEG_PER_DEG, TENTH_MM_PER_FT, TENTH_MM_PER_NM, US_PER_S, format_dtg

_LON, _LAT = 5, 6
_INK, _FAINT, _GRID = "#1b2430", "#9aa7b5", "#dde3ea"
_NEAR_TO_FAR = ("#2b0a3d", "#8c1c4b", "#cf3f2e", "#e8871e")  # readable on white at both ends
_BINS = 96  # of the time: a quarter of an hour, for a day


def check_plot(path: Path) -> None:
    """Refuses a picture that could not be drawn, before hours are spent on what it would show.

    Raises:
        UsageError: ``plot-not-installed`` (matplotlib is absent), ``plot-format``, ``plot-folder``.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise UsageError(
            "plot-not-installed",
            "the package matplotlib is absent; drawing must have it",
            hint="install detente[plot]",
            field="--plot",
        ) from None
    if path.suffix.lstrip(".").lower() not in Figure().canvas.get_supported_filetypes():
        raise UsageError(
            "plot-format",
            f"the picture is {path.name}; it must end in .png, .svg or .pdf",
            field="--plot",
        )
    if not path.resolve().parent.is_dir():
        raise UsageError(
            "plot-folder", f"{path.parent} is no folder; it must be one", field="--plot"
        )


def plot_scan(scan: Scan, path: Path) -> None:
    """Draws the conflicts of a scan and writes the picture.

    Args:
        scan: from `scan_tracks`.
        path: its ending says the format (png, svg, pdf).

    Raises:
        UsageError: as `check_plot`.
    """
    check_plot(path)
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import colors, ticker
    from matplotlib import dates as plain_dates
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 9), dpi=130, facecolor="white")
    grid = figure.add_gridspec(
        3, 2, height_ratios=(5.4, 1.6, 1.0), width_ratios=(50, 1), hspace=0.16, wspace=0.03,
        left=0.075, right=0.925, top=0.9, bottom=0.06,
    )  # fmt: skip
    world = figure.add_subplot(grid[0, 0])
    near = figure.add_subplot(grid[1, 0])
    many = figure.add_subplot(grid[2, 0], sharex=near)
    lateral_most = scan.minima.lateral_tenth_mm / TENTH_MM_PER_NM
    vertical_most = scan.minima.vertical_tenth_mm / TENTH_MM_PER_FT
    lateral = scan.numbers[LATERAL] / TENTH_MM_PER_NM
    vertical = scan.numbers[VERTICAL] / TENTH_MM_PER_FT
    order = np.argsort(-lateral, kind="stable")  # the nearest are drawn last, on top
    paint: dict[str, Any] = {
        "c": vertical[order],
        "cmap": colors.LinearSegmentedColormap.from_list("near", _NEAR_TO_FAR),
        "norm": colors.Normalize(0, vertical_most or 1),
        "edgecolors": "white",
        "linewidths": 0.4,
    }
    _draw_map(world, scan, order, paint)
    begins = scan.numbers[FROM] / US_PER_S / 86_400
    ends = scan.numbers[UNTIL] / US_PER_S / 86_400
    closest = scan.numbers[CLOSEST] / US_PER_S / 86_400
    near.hlines(lateral, begins, ends, color=_FAINT, lw=1.0, zorder=1)
    dots = near.scatter(closest[order], lateral[order], s=20, zorder=2, **paint)
    near.set_ylim(0, lateral_most * 1.04 or 1)
    near.set_ylabel("closest, NM")
    near.tick_params(labelbottom=False)
    first, last = (value / US_PER_S / 86_400 for value in scan.span_us)
    pad = max((last - first) * 0.01, 1e-5)
    near.set_xlim(first - pad, last + pad)
    edges = np.linspace(first, last if last > first else first + 1e-4, _BINS + 1)
    high, _ = np.histogram(closest, edges)
    many.bar(edges[:-1], high, width=np.diff(edges), align="edge", color="#b4452c", lw=0)
    many.set_ylabel("conflicts")
    many.yaxis.set_major_locator(ticker.MaxNLocator(4, integer=True))
    dates: Any = plain_dates
    where = dates.AutoDateLocator(minticks=4, maxticks=10)
    many.xaxis.set_major_locator(where)
    many.xaxis.set_major_formatter(dates.ConciseDateFormatter(where))
    figure.text(0.075, 0.018, "UTC", fontsize=8, color=_INK)
    bar = figure.colorbar(dots, cax=figure.add_subplot(grid[:2, 1]))
    bar.set_label("vertical distance at the closest, ft (STD)")
    bar.outline.set_visible(False)
    for one in (near, many):
        one.grid(color=_GRID, lw=0.6)
        one.set_axisbelow(True)
    for one in (world, near, many):
        one.tick_params(colors=_INK, labelsize=8, length=2)
        for side in one.spines.values():
            side.set_color(_GRID)
    pairs = len(np.unique(scan.a * max(1, len(scan.ids)) + scan.b))
    figure.text(
        0.075, 0.955, f"{len(scan):,} conflicts of {pairs:,} pairs below {lateral_most:g} NM and {vertical_most:,g} ft",
        fontsize=15, fontweight="bold", color=_INK,
    )  # fmt: skip
    begun = datetime.fromtimestamp(scan.span_us[0] / US_PER_S, UTC)
    figure.text(
        0.075, 0.925,
        f"{len(scan.ids):,} tracks, {scan.rows:,} points, {format_dtg(scan.span_us[0])} to {format_dtg(scan.span_us[1])}"
        f" ({begun:%A}); each mark stands where a pair was nearest",
        fontsize=9.5, color="#51606f",
    )  # fmt: skip
    figure.savefig(path)


def _draw_map(axes: Any, scan: Scan, order: Any, paint: dict[str, Any]) -> None:
    """Tracks as faint points, conflicts on them; longitudes are cut where nobody flies."""
    lon, lat = scan.places / NANODEG_PER_DEG
    seam = _seam(lon)
    lon = (lon - seam) % 360 + seam
    axes.plot(lon, lat, ",", color=_FAINT, alpha=0.5, zorder=1, rasterized=True)
    axes.scatter(
        ((scan.numbers[_LON] / NANODEG_PER_DEG - seam) % 360 + seam)[order],
        (scan.numbers[_LAT] / NANODEG_PER_DEG)[order],
        s=34,
        zorder=3,
        **paint,
    )
    middle = float(np.clip(np.median(lat), -80, 80)) if len(lat) else 0.0
    axes.set_aspect(1 / np.cos(np.radians(middle)), adjustable="datalim")
    axes.grid(color=_GRID, lw=0.6)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_formatter(lambda x, _: _degrees((x + 180) % 360 - 180, "E", "W"))
    axes.yaxis.set_major_formatter(lambda y, _: _degrees(y, "N", "S"))


def _seam(lon: Any) -> float:
    """The longitude at which to cut the map: the middle of the widest stretch without tracks."""
    if not len(lon):
        return -180.0
    there = np.unique(np.floor(lon % 360)).astype(int)
    gaps = np.diff(np.append(there, there[0] + 360))
    widest = int(np.argmax(gaps))
    return float((there[widest] + gaps[widest] / 2 + 180) % 360 - 180)


def _degrees(value: float, plus: str, minus: str) -> str:
    size = f"{abs(value):.2f}".rstrip("0").rstrip(".")
    return f"{size}\N{DEGREE SIGN} {plus if value >= 0 else minus}"
