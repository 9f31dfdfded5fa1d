"""Text as officers write it, cut into tokens: digits, marks, hemispheres and units of several languages.

Every character is replaced by at most one other, so a place in the tokens is a place in the text. A word
that has no meaning here is a token too: it is refused by whoever reads the tokens, never skipped.
"""

from __future__ import annotations

import re
from typing import NoReturn

import msgspec

from detente.errors import UsageError, shown

# One character for one: the digits of Arabic and Persian, marks that look alike, spaces, dashes, and the
# invisible marks of direction, which would split or reorder a number.
_SAME = {
    **{chr(0x0660 + n): str(n) for n in range(10)},
    **{chr(0x06F0 + n): str(n) for n in range(10)},
    **dict.fromkeys("\u2212\u2013\u2014\u2010\u2011\u2012\u2015\ufe63\uff0d", "-"),
    **dict.fromkeys("\u2032\u2019\u2018\u02b9\u00b4\u0060\u05f3\u02bc", "'"),
    **dict.fromkeys("\u2033\u201d\u201c\u02ba\u05f4\u201e", '"'),
    **dict.fromkeys("\u00ba\u02da\u2070\u2218", "°"),
    **dict.fromkeys("\u2192\u279c\u2794\u21d2\u27a1", ">"),
    **dict.fromkeys("\u00a0\u2007\u2009\u200a\u202f\u2002\u2003\u3000\t", " "),
    **dict.fromkeys(
        "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", " "
    ),
    **dict.fromkeys("\ufeff\u200b\u200c\u200d", " "),
    "\u066b": ".",
    "\u060c": ",",
    "\u061b": ";",
    "\r": " ",
    "\uff0c": ",",
}
_PLAIN = str.maketrans(_SAME)

# What stands for a hemisphere. A letter that means two of them in the languages of the line is refused.
HEMISPHERES = {
    "N": r"(?i:north|n)(?![A-Za-z])|[сС]\.?\ ?[шШ]\.?(?!\w)|С(?!\w)|צפון|צ'?(?!\w)|(?:ال)?شمال(?:اً|ًا|ا|ي)?",
    "S": r"(?i:south|s)(?![A-Za-z])|[юЮ]\.?\ ?[шШ]\.?(?!\w)|Ю(?!\w)|דרום|ד'?(?!\w)|(?:ال)?جنوب(?:اً|ًا|ا|ي)?|ج(?!\w)",
    "E": r"(?i:east|e)(?![A-Za-z])|[вВ]\.?\ ?[дД]\.?(?!\w)|В(?!\w)|מזרח|(?:ال)?شرق(?:اً|ًا|ا|ي)?",
    "W": r"(?i:west|w)(?![A-Za-z])|[зЗ]\.?\ ?[дД]\.?(?!\w)|З(?!\w)|מערב|(?:ال)?غرب(?:اً|ًا|ا|ي)?|غ(?!\w)",
}
TWO_MEANINGS = {
    "O": ("west (ouest, oeste)", "east (Ost)"),
    "מ": ("east (מזרח)", "west (מערב)"),
    "ش": ("north (شمال)", "east (شرق)"),
}
_UNITS = {
    "nm": r"(?i:nmi|nm|nautical\ +miles?)|морск\w+\ +мил\w*|ميل\ بحري",
    "km": r"(?i:kilomet(?:re|er)s?|kms?)|км|ק\"מ|كم",
    "m": r"(?i:met(?:re|er)s?|m)|м",
    "ft": r"(?i:feet|foot|ft)",
    "mile": r"(?i:statute\ +miles?|miles?|mi|sm)|мил\w+|מייל|ميل",
}
NUMBER_CHARS = (
    60  # as in JSON: a number with more digits is no measurement, and slow to compute with
)
_NUMBER = r"\d+(?:\.\d+)?"
_NUMBER_COMMA = r"\d+(?:[.,]\d+)?"
_GRID = (
    r"(?<![0-9A-Za-z.,])(?P<grid>(?!\d+\ ?(?i:deg|sec))\d{1,2}\ ?[C-HJ-NP-Xc-hj-np-x]\ ?[A-HJ-NP-Za-hj-np-z][A-HJ-NP-Va-hj-np-v]"
    r"\ ?(?:\d{1,5}\ +\d{1,5}|\d{1,12})(?![0-9A-Za-z]))"
)
_POLAR = r"(?<![0-9A-Za-z])(?P<polar>[ABYZabyz]\ ?[A-Za-z]{2}\ ?(?:\d{1,5}\ +\d{1,5}|\d{2,10})(?![0-9A-Za-z]))"
_UTM = r"(?<![0-9A-Za-z.,])(?P<utm>\d{1,2}\ ?[C-HJ-NP-Xc-hj-np-x]\ +\d{6}(?:\.\d+)?\ ?(?i:m?\ ?e)?[\ ,]+\d{5,8}(?:\.\d+)?(?:\ ?(?i:m?\ ?n)\b)?)"
_LABEL = r"(?P<label>(?m:^)\ *(?:\d{1,3}[.)]|[A-Za-z]\)|[A-Za-z]{0,2}\d{1,3}:|[•·*])(?=\ ))"
_CLOSE = r"(?P<close>(?i:(?:and\ +)?(?:back\ +)?to\ +(?:the\ +)?(?:point\ +of\ +origin|origin|beginning|start(?:ing)?(?:\ +(?:point|position))?)))"


def _pattern(number: str) -> re.Pattern[str]:
    parts = [
        _LABEL,
        _POLAR,
        _UTM,
        _GRID,
        _CLOSE,
        *(
            rf"(?P<length_{unit}>{number}(?=\ *(?:{words})(?!\w))\ *(?:{words}))"
            for unit, words in _UNITS.items()
        ),
        rf"(?P<number>{number})",
        r"(?P<latitude>(?i:latitude|lat)\.?(?![A-Za-z])|широта|(?:קו\ )?רוחב|(?:خط\ )?(?:ال)?عرض)",
        r"(?P<longitude>(?i:longitude|long|lon|lng)\.?(?![A-Za-z])|долгота|(?:קו\ )?אורך|(?:خط\ )?(?:ال)?طول)",
        *(
            rf"(?P<hemisphere_{name}>(?<![^\W\d_])(?:{words}))"
            for name, words in HEMISPHERES.items()
        ),
        rf"(?P<unclear>(?<![^\W\d_])[{''.join(TWO_MEANINGS)}]'?(?!\w))",
        r"(?P<degree>°|(?i:degrees?|deg)\b\.?|град\w*\.?|מעלות|درجة)",
        r"(?P<second>''|\"|(?i:seconds?|sec)\b\.?|сек\w*\.?)",
        r"(?P<minute>'|(?i:minutes?|min)\b\.?|мин\w*\.?)",
        r"(?P<arrow>->|=>|>|(?i:to|thence|then|and)\b|до\b|и\b|עד\b|إلى)",
        r"(?P<sign>(?:(?<=[\s,;:(\[/=])|(?<![\s\S]))[-+](?=\d))",
        r"(?P<dash>-+)",
        r"(?P<comma>,)",
        r"(?P<semicolon>;)",
        r"(?P<slash>/)",
        r"(?P<colon>[:=])",
        r"(?P<line>\n)",
        r"(?P<bracket>[()\[\]])",
        r"(?P<stop>\.(?=\s|$))",
        r"(?P<space>\ +)",
        r"(?P<word>[^\W\d_]+(?:[-'][^\W\d_]+)*)",
        r"(?P<other>.)",
    ]
    return re.compile("|".join(parts))


_PATTERNS = {False: _pattern(_NUMBER), True: _pattern(_NUMBER_COMMA)}


class Token(msgspec.Struct, frozen=True):
    """A piece of text with a meaning.

    Args:
        kind: the name of its group in the grammar above, such as ``number`` or ``degree``.
        text: the plain text; numbers with a point.
        what: of a hemisphere ``N``, ``S``, ``E`` or ``W``; of a length its unit; else empty.
        at: where it begins in the text.
        end: where it ends.
        tight: nothing stands between it and the token before.
    """

    kind: str
    text: str
    what: str
    at: int
    end: int
    tight: bool


def plain(text: str) -> str:
    """The same text, character for character, in plain digits, marks and spaces.

    Example:
        >>> plain("٣٥°٣١′")
        "35°31'"
    """
    return text.translate(_PLAIN)


def cut(text: str, *, comma: bool = False) -> list[Token]:
    """The tokens of a plain text; spaces are not among them.

    Args:
        text: from `plain`.
        comma: a comma between two digits is a decimal sign.

    Raises:
        UsageError: ``number-long``.
    """
    found: list[Token] = []
    tight = False
    for match in _PATTERNS[comma].finditer(text):
        name = match.lastgroup or "other"
        if name == "space":
            tight = False
            continue
        kind, _, what = name.partition("_")
        said = match.group().strip()
        if kind in ("number", "length") and len(said) > NUMBER_CHARS:
            refuse(
                "number-long",
                f"number has {len(said):,} characters; it must have at most {NUMBER_CHARS}",
                text,
                match.start(),
            )
        if kind in ("number", "length"):
            said = said.replace(",", ".")
        found.append(Token(kind, said, what, match.start(), match.end(), tight))
        tight = True
    return found


def where(text: str, at: int) -> str:
    """A place in a text, for an error: line and column, from 1.

    Example:
        >>> where("ab\\ncd", 4)
        'line 2, column 2'
    """
    line = text.count("\n", 0, at)
    return f"line {line + 1}, column {at - (text.rfind(chr(10), 0, at) + 1) + 1}"


def refuse(code: str, message: str, text: str, at: int, *, hint: str = "") -> NoReturn:
    """Say what is wrong at a place of a text.

    Raises:
        UsageError: always.
    """
    raise UsageError(code, message, hint=hint, field=where(text, at))


def refuse_token(text: str, token: Token) -> NoReturn:
    """Refuse a token that has no meaning where it stands.

    Raises:
        UsageError: ``text-not-understood``, or a code of its own for what has two meanings.
    """
    said = text[token.at : token.end].strip()[:60]
    if token.kind == "unclear":
        first, second = TWO_MEANINGS[said[0]]
        refuse(
            "hemisphere-ambiguous",
            f"letter is {shown(said)}; it may mean {first} or {second}; it must be N, S, E or W",
            text,
            token.at,
        )
    if token.kind == "polar":
        refuse(
            "grid-polar",
            f"grid is {shown(said)}; it must lie between 80 S and 84 N",
            text,
            token.at,
            hint="give positions near a pole in degrees",
        )
    if token.kind == "utm":
        refuse(
            "grid-utm",
            f"position is {shown(said)}, eastings and northings of UTM; it must be MGRS or degrees, "
            "because a letter S there may mean the south or the band from 32 N to 40 N",
            text,
            token.at,
            hint="for example 36S YE 51234 34567",
        )
    refuse(
        "text-not-understood",
        f"{shown(said)} has no meaning here; it must be part of a position, a circle or a corridor",
        text,
        token.at,
        hint="leave out what is not geometry, or put it into the text of the notice",
    )
