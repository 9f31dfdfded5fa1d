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


def say_moves(moves: list[dict[str, Any]], own: str = "") -> str:
    """What changes, in words.

    Args:
        own: id of the party whose moves come first, so that what two parties read mirrors.

    Example:
        >>> say_moves([{"notice": "north:A-1", "later_us": -1260000000, "higher_tenth_mm": 0, "aside_tenth_mm": 18520000, "bearing_tenth_deg": 900}])
        'north:A-1 21 min 00 s earlier and 1 NM toward 090 true'
    """
    ordered = sorted(moves, key=lambda move: not move["notice"].startswith(f"{own}:"))
    return "; ".join(f"{move['notice']} {_say_move(move)}" for move in ordered)


def own_first(options: list[dict[str, Any]], own: str) -> list[dict[str, Any]]:
    """The options of advice in the order in which a party reads them: its own moves, the peer's, both; so each side's list mirrors the other's.

    Args:
        own: id of the party that reads.

    Example:
        >>> [one["key"] for one in own_first([{"key": k} for k in ("both/north-up", "both/south-up", "north/up", "south/up")], "south")]
        ['south/up', 'north/up', 'both/south-up', 'both/north-up']
    """

    def rank(option: dict[str, Any]) -> int:
        who, _, what = option["key"].partition("/")
        if who == "both":
            return 2 if what.startswith(f"{own}-") else 3
        return 0 if who == own else 1

    return sorted(options, key=rank)


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
