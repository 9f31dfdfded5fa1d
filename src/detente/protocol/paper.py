"""The outer form of a proof that travels as one file: a title, one line of canonical JSON, a SHA-256 line.

Bundles, proofs of absence and openings have it. A paper must equal its own re-encoding, so that two files
are never "the" evidence with different hashes. The form is section 1 of docs/spec/bundle.md.
"""

from __future__ import annotations

import hashlib
from typing import Any

from detente.errors import PeerError
from detente.signing.canonical import encode_canonical, parse_canonical
from detente.units import format_time

Json = dict[str, Any]


def invalid(kind: str, message: str) -> PeerError:
    """The fault of a paper: `bundle-invalid`, `absence-invalid`, `opening-invalid`."""
    return PeerError(f"{kind}-invalid", message, field=kind)


def title_of(kind: str, version: int, *, exercise: bool | None) -> bytes:
    """The first line.

    Example:
        >>> title_of("bundle", 2, exercise=True)
        b'detente-bundle/2 EXERCISE\\n'
    """
    word = {True: "EXERCISE", False: "REAL", None: "NEITHER"}[exercise]
    return f"detente-{kind}/{version} {word}\n".encode()


def encode_paper(kind: str, content: Json) -> bytes:
    """The file of a content, which has members `EXERCISE` and `v`."""
    title = title_of(kind, content["v"], exercise=content["EXERCISE"])
    body = title + encode_canonical(content) + b"\n"
    return body + _sha256_line(body)


def decode_paper(
    kind: str,
    data: bytes,
    members: dict[int, frozenset[str]],
    most: int,
    *,
    neither: bool = False,
) -> Json:
    """The content of a file, whose form is checked and nothing else.

    Args:
        members: by version, the exact members that the JSON has beside `EXERCISE` and `v`.
        most: bytes.
        neither: EXERCISE may be null, for what belongs to no exercise and to nothing real.

    Raises:
        PeerError: of other form.
    """
    if len(data) > most:
        raise invalid(kind, f"{kind} is {len(data)} bytes; it must be at most {most}")
    lines = data.split(b"\n")
    titles = {
        title_of(kind, version, exercise=exercise): (version, exercise)
        for version in members
        for exercise in (True, False, *((None,) if neither else ()))
    }
    if len(lines) != 4 or lines[3] or lines[0] + b"\n" not in titles:
        raise invalid(kind, "it must be a title, one line of JSON and a sha256 line")
    version, exercise = titles[lines[0] + b"\n"]
    if lines[2] + b"\n" != _sha256_line(data[: len(data) - len(lines[2]) - 1]):
        raise invalid(
            kind, "its SHA-256 must be that of the two lines above: it was altered or cut"
        )
    content = parse_canonical(lines[1], most_bytes=most)
    wanted = members[version] | {"EXERCISE", "v"}
    if (
        not isinstance(content, dict)
        or set(content) != wanted
        or type(content["v"]) is not int
        or content["v"] != version
    ):
        raise invalid(kind, f"its JSON must have {', '.join(sorted(wanted))} and v {version}")
    if content["EXERCISE"] is not exercise:
        raise invalid(kind, "EXERCISE in its title must be that of its JSON")
    return content  # the title, canonical JSON and the right SHA-256: its own re-encoding, byte for byte


def shown_time(kind: str, time_us: int) -> str:
    """A time as text.

    Raises:
        PeerError: no date that exists.
    """
    try:
        return format_time(time_us)
    except (OverflowError, ValueError):
        raise invalid(kind, f"time is {time_us} us; it must be a date that exists") from None


def _sha256_line(body: bytes) -> bytes:
    """Found by eye and by any shell; it proves nothing, since anyone can compute it again."""
    return b"sha256 " + hashlib.sha256(body).hexdigest().encode() + b"\n"
