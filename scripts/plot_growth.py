"""Draws how the cost of `conflict.trajectory` grows, from the benchmark's own numbers.

.venv/bin/detente bench --only trajectories --full --json > growth.json
.venv/bin/python scripts/plot_growth.py growth.json docs/img/trajectory-growth.png
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from matplotlib.figure import Figure


def main(source: Path, picture: Path) -> None:
    """Time and memory over the number of trajectories, on logarithmic axes."""
    rows = json.loads(source.read_text())["trajectories"]
    counts = [row["tracks"] for row in rows]
    figure = Figure(figsize=(9, 3.8), facecolor="white")
    left, right = figure.subplots(1, 2)
    left.loglog(counts, [row["best_s"] for row in rows], "o-", color="#b4452c", label="measured")
    first = rows[0]["best_s"] / counts[0]
    left.loglog(counts, [first * n for n in counts], "--", color="#9aa7b5", label="in proportion")
    for row in rows:
        left.annotate(
            f"{row['best_s']:.2g} s",
            (row["tracks"], row["best_s"]),
            textcoords="offset points",
            xytext=(-6, 7),
            ha="right",
            fontsize=8,
        )
    left.margins(0.16, 0.12)  # room for the numbers
    left.set_ylabel("seconds, all against all")
    left.legend(frameon=False, fontsize=8, loc="lower right")
    right.semilogx(counts, [row["peak_mb"] for row in rows], "o-", color="#2f5d8c")
    for row in rows:
        right.annotate(
            f"{row['peak_mb']:.0f}",
            (row["tracks"], row["peak_mb"]),
            textcoords="offset points",
            xytext=(0, 7),
            ha="center",
            fontsize=8,
        )
    right.set_ylim(0, max(row["peak_mb"] for row in rows) * 1.2)
    right.set_ylabel("peak memory of the process, MB")
    for axes in (left, right):
        axes.set_xlabel("trajectories of 50 legs, one day over Europe")
        axes.grid(color="#dde3ea", lw=0.6)
        axes.set_axisbelow(True)
    figure.tight_layout()
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=130, metadata={"Date": None} if picture.suffix == ".svg" else None)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
