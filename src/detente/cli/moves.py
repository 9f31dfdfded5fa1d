"""Advice in words."""

from __future__ import annotations

from typing import Any

from detente.units import TENTH_MM_PER_FT, TENTH_MM_PER_NM, US_PER_S, format_duration


def say_reason(reason: str, against: int) -> str:
    """What came of looking, in words."""
    others = f", clear of {against} further {'notice' if against == 1 else 'notices'} too"
    others = others if against else ""
    return {
        "found": f"the smallest changes that clear it{others}; both parties compute the same",
        "none": "no single change within a week and the limits of altitude clears it",
        "clear": "the two are clear of each other as they stand",
        "too-intricate": "the notices are too intricate to look at every change",
    }[reason]


def say_moves(moves: list[dict[str, Any]]) -> str:
    """What changes, in words.

    Example:
        >>> say_moves([{"notice": "north:A-1", "later_us": -1260000000, "higher_tenth_mm": 0, "aside_tenth_mm": 18520000, "bearing_tenth_deg": 900}])
        'north:A-1 21 min 00 s earlier and 1 NM toward 090 true'
    """
    return "; ".join(f"{move['notice']} {_say_move(move)}" for move in moves)


def _say_move(move: dict[str, Any]) -> str:
    words = []
    if move["later_us"]:
        later = move["later_us"] > 0
        words.append(
            f"{format_duration(abs(move['later_us']) // US_PER_S)} {'later' if later else 'earlier'}"
        )
    if move["higher_tenth_mm"]:
        up = move["higher_tenth_mm"]
        feet, rest = divmod(abs(up), TENTH_MM_PER_FT)
        size = f"{feet:,} ft" if not rest else f"{abs(up) / 10_000:g} m"
        words.append(f"{size} {'higher' if up > 0 else 'lower'}")
    if move["aside_tenth_mm"]:
        way = f"{move['bearing_tenth_deg'] / 10:05.1f}".removesuffix(".0")
        words.append(f"{move['aside_tenth_mm'] / TENTH_MM_PER_NM:g} NM toward {way} true")
    return " and ".join(words)
