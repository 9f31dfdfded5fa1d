"""An activity notice: what one party will do, where, how high and when.

A notice is one name, its pieces (4D volumes) and a few words. Its *body* is the canonical JSON that
a statement commits to field by field; `parse_activity_body` rebuilds the same notice from a body
that a peer wrote, checking everything again, because a peer's software is not ours to trust.
docs/spec/notice.md is the normative text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from detente.airspace.area import count_positions
from detente.airspace.rules import count_geometry_parts
from detente.airspace.volume import Volume, parse_volume_body
from detente.errors import UsageError, shown
from detente.limits import (
    EDGE_PARTS_PER_NOTICE,
    NAME_CHARS,
    PIECES_PER_NOTICE,
    REGION_CHARS,
    TEXT_CHARS,
    VERTICES_PER_NOTICE,
)

JSON = None | bool | int | str | list["JSON"] | dict[str, "JSON"]

# A piece of a notice is a 4D volume; the name is the one officers use.
Piece = Volume

# Names both sides can translate. Another name of the same form is accepted and shown as it is:
# refusing a notice for its label would lose the warning that it carries.
ACTIVITIES = (
    "patrol",
    "transit",
    "recon",
    "strike-hazard",
    "exercise",
    "uas",
    "sar",
    "tanker",
    "transport",
    "training",
    "hazard",
    "launch",
    "airlift",
    "medevac",
    "humanitarian",
    "other",
)
PRECEDENCES = ("routine", "priority", "urgent", "flash")

_NAME = re.compile(rf"[A-Za-z0-9](?:[A-Za-z0-9._-]{{0,{NAME_CHARS - 2}}}[A-Za-z0-9])?", re.ASCII)
_ACTIVITY = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class ActivityNotice(msgspec.Struct, frozen=True):
    """One notice of activity, whole and valid.

    Args:
        name: the party's own name for it, such as ``"A-1"``; the notice id is ``party:name``.
        exercise: nothing flies.
        activity: one of `ACTIVITIES`, or a name of the same form.
        pieces: the volumes, in the order given.
        region: free words for the place, or None; never the only statement of place.
        text: free words, or None.
        precedence: one of `PRECEDENCES`.

    Build one with `build_notice`, `parse_activity_body` or `detente.interop.geojson`.
    """

    name: str
    exercise: bool
    activity: str
    pieces: tuple[Piece, ...]
    region: str | None = None
    text: str | None = None
    precedence: str = "routine"

    @property
    def start_us(self) -> int:
        """The first instant of any piece."""
        return min(piece.start_us for piece in self.pieces)

    @property
    def end_us(self) -> int:
        """The first instant after every piece."""
        return max(piece.end_us for piece in self.pieces)

    def body(self) -> dict[str, JSON]:
        """The body fields a statement commits to, each by itself; RFC 8785 makes them bytes.

        The name and the exercise flag are not here: they stand in the statement's header.
        """
        body: dict[str, JSON] = {
            "activity": self.activity,
            "precedence": self.precedence,
            "pieces": [piece.body() for piece in self.pieces],  # type: ignore[misc]
        }
        if self.region is not None:
            body["region"] = self.region
        if self.text is not None:
            body["text"] = self.text
        return body


def build_notice(
    *,
    name: object,
    exercise: object,
    activity: object,
    pieces: tuple[Piece, ...],
    region: object = None,
    text: object = None,
    precedence: object = "routine",
    field: str = "",
) -> ActivityNotice:
    """An `ActivityNotice` with every rule checked.

    Args:
        name: the party-local id.
        exercise: a JSON boolean.
        activity: a name.
        pieces: volumes that `build_volume` made.
        region: text or None.
        text: text or None.
        precedence: a name.
        field: prefix of the path an error shows, such as ``"features[0].properties."``.

    Raises:
        UsageError: a rule is broken; `.field` names the part.
    """
    check_name(name, field=f"{field}id")
    if not isinstance(exercise, bool):
        raise UsageError(
            "exercise-malformed",
            f"exercise is {shown(exercise)}; it must be true or false",
            field=f"{field}exercise",
        )
    if not isinstance(activity, str) or not _ACTIVITY.fullmatch(activity):
        raise UsageError(
            "activity-malformed",
            f"activity is {shown(activity)}; it must be one of {', '.join(ACTIVITIES)}, "
            "or a name of the same form (a-z, 0-9, hyphen, at most 32)",
            field=f"{field}activity",
        )
    if precedence not in PRECEDENCES:
        raise UsageError(
            "precedence-unknown",
            f"precedence is {shown(precedence)}; it must be one of {', '.join(PRECEDENCES)}",
            field=f"{field}precedence",
        )
    if not pieces:
        raise UsageError(
            "notice-empty",
            "notice has no pieces; it must have at least one volume",
            hint="words alone are not a notice: give geometry, altitudes and times",
            field=f"{field}pieces",
        )
    _check_limits(pieces, field=field)
    return ActivityNotice(
        name=str(name),
        exercise=exercise,
        activity=activity,
        pieces=pieces,
        region=_check_text(region, REGION_CHARS, field=f"{field}region"),
        text=_check_text(text, TEXT_CHARS, field=f"{field}text"),
        precedence=str(precedence),
    )


def parse_activity_body(body: Mapping[str, object], *, name: str, exercise: bool) -> ActivityNotice:
    """The notice that a body says, checked from the start as if nobody had checked it before.

    Args:
        body: decoded JSON with the keys of `ActivityNotice.body`.
        name: the notice's name from the statement's header.
        exercise: the flag from the statement's header.

    Returns:
        A notice whose `body()` equals the argument.

    Raises:
        UsageError: a rule is broken; `.field` names the part. The caller answers with a refusal.
    """
    required = {"activity", "precedence", "pieces"}
    keys = set(body)
    if not required <= keys or not keys <= required | {"region", "text"}:
        raise UsageError(
            "body-malformed",
            f"body has {shown(sorted(map(str, keys)))}; it must have activity, precedence and "
            "pieces, and may have region and text",
            field="body",
        )
    for part in ("region", "text"):
        if part in body and body[part] is None:
            raise UsageError(
                "body-malformed", f"{part} is None; it must be text or left out", field=part
            )
    pieces = body["pieces"]
    if not isinstance(pieces, list) or not pieces or len(pieces) > PIECES_PER_NOTICE:
        raise UsageError(
            "pieces-malformed",
            f"pieces are {shown(pieces)}; they must be a list of 1 to {PIECES_PER_NOTICE:,}",
            field="pieces",
        )
    return build_notice(
        name=name,
        exercise=exercise,
        activity=body["activity"],
        pieces=tuple(
            parse_volume_body(piece, field=f"pieces[{i}]") for i, piece in enumerate(pieces)
        ),
        region=body.get("region"),
        text=body.get("text"),
        precedence=body["precedence"],
    )


def check_name(name: object, *, field: str = "id") -> str:
    """A party-local notice name: letters, digits, ``.``, ``_`` and ``-``, not at either end.

    Raises:
        UsageError: not such a name, or longer than the limit.

    Example:
        >>> check_name("A-1")
        'A-1'
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UsageError(
            "name-malformed",
            f"id is {shown(name)}; it must be 1 to {NAME_CHARS} of A-Z a-z 0-9 . _ - "
            "and begin and end with a letter or digit",
            field=field,
        )
    return name


def _check_limits(pieces: tuple[Piece, ...], *, field: str) -> None:
    if len(pieces) > PIECES_PER_NOTICE:
        raise UsageError(
            "pieces-too-many",
            f"notice has {len(pieces):,} pieces; it must have at most {PIECES_PER_NOTICE:,}",
            field=f"{field}pieces",
        )
    count = sum(count_positions(piece.geometry) for piece in pieces)
    if count > VERTICES_PER_NOTICE:
        raise UsageError(
            "vertices-too-many",
            f"notice has {count:,} positions; it must have at most {VERTICES_PER_NOTICE:,}",
            hint="simplify the outlines, or file several notices",
            field=f"{field}pieces",
        )
    parts = sum(count_geometry_parts(piece.geometry, piece.edges) for piece in pieces)
    if parts > EDGE_PARTS_PER_NOTICE:
        raise UsageError(
            "edges-too-long",
            f"edges come to {parts:,} parts of at most 10 km; "
            f"they must come to at most {EDGE_PARTS_PER_NOTICE:,}",
            hint="file several notices",
            field=f"{field}pieces",
        )


def _check_text(value: object, most_chars: int, *, field: str) -> str | None:
    """Plain text that can neither hide behind nor reorder what is on the screen."""
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise UsageError(
            "text-malformed",
            f"value is {shown(value)}; it must be text that is not empty, or be left out",
            field=field,
        )
    if len(value) > most_chars:
        raise UsageError(
            "text-too-long",
            f"text has {len(value):,} characters; it must have at most {most_chars:,}",
            field=field,
        )
    # 1. A sends text with a right-to-left override. 2. B's officer reads "north" where the bytes
    # say something else. 3. Both later quote the same signed statement for different meanings.
    bad = _CONTROL.search(value)
    surrogate = any(0xD800 <= ord(character) <= 0xDFFF for character in value)
    if bad or surrogate:
        raise UsageError(
            "text-control",
            f"text has the control character {shown(bad[0] if bad else 'surrogate')}; "
            "it must be plain text (line feed and tab are fine)",
            field=field,
        )
    return value
