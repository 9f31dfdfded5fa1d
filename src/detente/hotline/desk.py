"""Desks and their levels, and the question that keeps a political text off the line for safety.

A safety line and a political line are two lines in practice: whoever mixes them finds the safety line
suspended for reasons of the other. The guard asks; it refuses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

Reason = Literal["negotiation", "sanction", "blame", "threat", "publicity"]

POLITICAL_LEVEL = "leaders"  # from this desk up such a text is where it belongs


class PoliticalWord(msgspec.Struct, frozen=True):
    """A word that seldom belongs on the line for safety.

    Attributes:
        stem: the beginning of a word in lower case; endings vary.
        why: what it usually is a part of.
    """

    language: str
    stem: str
    why: Reason


# Few and plain: each false question costs an officer a moment on a line that must be quick. Words that
# describe an event (strike, fire, killed, hospital, ceasefire line) are left out: they belong here.
POLITICAL_WORDS: tuple[PoliticalWord, ...] = (
    PoliticalWord("en", "negotiat", "negotiation"),
    PoliticalWord("en", "recogni[sz]e our", "negotiation"),
    PoliticalWord("en", "ambassador", "negotiation"),
    PoliticalWord("en", "sanction", "sanction"),
    PoliticalWord("en", "embargo", "sanction"),
    PoliticalWord("en", "aggress", "blame"),
    PoliticalWord("en", "provocat", "blame"),
    PoliticalWord("en", "condemn", "blame"),
    PoliticalWord("en", "regime", "blame"),
    PoliticalWord("en", "retaliat", "threat"),
    PoliticalWord("en", "red line", "threat"),
    PoliticalWord("en", "ultimatum", "threat"),
    PoliticalWord("en", "press release", "publicity"),
    PoliticalWord("ru", "переговор", "negotiation"),
    PoliticalWord("ru", "посол", "negotiation"),
    PoliticalWord("ru", "санкци", "sanction"),
    PoliticalWord("ru", "эмбарго", "sanction"),
    PoliticalWord("ru", "агресси", "blame"),
    PoliticalWord("ru", "провокаци", "blame"),
    PoliticalWord("ru", "осужда", "blame"),
    PoliticalWord("ru", "возмезди", "threat"),
    PoliticalWord("ru", "ультиматум", "threat"),
    PoliticalWord("ru", "красн.. лини", "threat"),
    PoliticalWord("ru", "пресс-релиз", "publicity"),
    PoliticalWord("he", "משא ומתן", "negotiation"),
    PoliticalWord("he", "שגריר", "negotiation"),
    PoliticalWord("he", "סנקצי", "sanction"),
    PoliticalWord("he", "תוקפנות", "blame"),
    PoliticalWord("he", "פרובוקצי", "blame"),
    PoliticalWord("he", "גינוי", "blame"),
    PoliticalWord("he", "קו אדום", "threat"),
    PoliticalWord("he", "אולטימטום", "threat"),
    PoliticalWord("he", "הודעה לעיתונות", "publicity"),
    PoliticalWord("ar", "مفاوض", "negotiation"),
    PoliticalWord("ar", "سفير", "negotiation"),
    PoliticalWord("ar", "عقوبات", "sanction"),
    PoliticalWord("ar", "عدوان", "blame"),
    PoliticalWord("ar", "استفزاز", "blame"),
    PoliticalWord("ar", "إدانة", "blame"),
    PoliticalWord("ar", "خط أحمر", "threat"),
    PoliticalWord("ar", "إنذار نهائي", "threat"),
    PoliticalWord("ar", "بيان صحفي", "publicity"),
)
# Hebrew and Arabic write "the", "and", "in" as letters before the word
_BEFORE = {"he": "[ובלמהשכ]{0,2}", "ar": "[وفبلك]{0,2}(?:ال)?"}
_PATTERNS = tuple(
    (one, re.compile(rf"(?<!\w){_BEFORE.get(one.language, '')}({one.stem}\w*)", re.IGNORECASE))
    for one in POLITICAL_WORDS
)


class DeskQuestion(msgspec.Struct, frozen=True):
    """What an officer is asked before a text is sent; never a reason to refuse it.

    Attributes:
        code: ``political``.
        word: as it stands in the text.
        why: what such a word usually is a part of.
        language: of the word.
        desk: where such a text belongs.
    """

    code: Literal["political"]
    word: str
    why: Reason
    language: str
    desk: str


def level_of(desk: str, desks: Sequence[str]) -> int | None:
    """A desk's level, 0 the lowest; None for a desk that the agreement does not name.

    Example:
        >>> level_of("general-staff", ["operations-cell", "general-staff"])
        1
    """
    return desks.index(desk) if desk in desks else None


def ask_desk(text: str, desk: str, desks: Sequence[str]) -> list[DeskQuestion]:
    """Questions about a text before it goes to a desk: each political word once, in order of the text.

    Nothing is asked of a desk at the level of leaders or above.

    Example:
        >>> [q.why for q in ask_desk("Stop this aggression.", "operations-cell", ["operations-cell", "leaders"])]
        ['blame']
    """
    above = level_of(POLITICAL_LEVEL, desks)
    here = level_of(desk, desks)
    if above is not None and here is not None and here >= above:
        return []
    better = POLITICAL_LEVEL if above is not None else (desks[-1] if desks else POLITICAL_LEVEL)
    found: dict[str, tuple[int, DeskQuestion]] = {}
    for one, pattern in _PATTERNS:
        match = pattern.search(text)
        if match is not None:
            word = match.group(1)
            question = DeskQuestion("political", word, one.why, one.language, better)
            found.setdefault(word.lower(), (match.start(), question))
    return [question for _, question in sorted(found.values(), key=lambda pair: pair[0])]
