"""The outer form of a proof that travels as one file: a title, one line of canonical JSON, a SHA-256 line.

Bundles, proofs of absence and openings have it. A paper must equal its own re-encoding, so that two files
are never "the" evidence with different hashes. The form is section 1 of docs/spec/bundle.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

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


def encode_paper(
    kind: str, content: Json, lists: Mapping[str, Iterable[bytes]] | None = None
) -> bytes:
    """The file of a content, which has members `EXERCISE` and `v`.

    Args:
        lists: further members that are long lists, of elements in canonical form already.
    """
    members = {name: encode_canonical(value) for name, value in content.items()}
    members |= {name: b"[" + b",".join(rows) + b"]" for name, rows in (lists or {}).items()}
    inner = b",".join(b'"%b":%b' % (name.encode(), members[name]) for name in sorted(members))
    body = title_of(kind, content["v"], exercise=content["EXERCISE"]) + b"{" + inner + b"}\n"
    return body + _sha256_line(body)


def decode_paper(
    kind: str,
    data: bytes,
    members: dict[int, frozenset[str]],
    most: int,
    *,
    neither: bool = False,
    lists: Collection[str] = (),
) -> Json:
    """The content of a file, whose form is checked and nothing else.

    Args:
        members: by version, the exact members that the JSON has beside `EXERCISE` and `v`.
        most: bytes.
        neither: EXERCISE may be null, for what belongs to no exercise and to nothing real.
        lists: members that are long lists: given as the bytes of their elements, each for the caller to
            parse as canonical JSON, so that a long file need not be in memory as values all at once.

    Raises:
        PeerError: of other form.
    """
    if len(data) > most:
        raise invalid(kind, f"{kind} is {len(data)} bytes; it must be at most {most}")
    first = data.find(b"\n") + 1
    second = data.find(b"\n", first) + 1
    titles = {
        title_of(kind, version, exercise=exercise): (version, exercise)
        for version in members
        for exercise in (True, False, *((None,) if neither else ()))
    }
    if not second or data.count(b"\n") != 3 or data[-1:] != b"\n" or data[:first] not in titles:
        raise invalid(kind, "it must be a title, one line of JSON and a sha256 line")
    version, exercise = titles[data[:first]]
    whole = memoryview(data)
    if data[second:] != _sha256_line(whole[:second]):
        raise invalid(
            kind, "its SHA-256 must be that of the two lines above: it was altered or cut"
        )
    wanted = members[version] | {"EXERCISE", "v"}
    line = whole[first : second - 1]
    content = (
        _decode_parts(kind, line, wanted, lists, most)
        if lists
        else parse_canonical(bytes(line), most_bytes=most)
    )
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


def _decode_parts(
    kind: str, line: memoryview, wanted: frozenset[str], lists: Collection[str], most: int
) -> Json:
    """A canonical object, member by member; of the lists only where their elements begin and end.

    What stands between the parts has one form, so its length says that there is nothing else: no white
    space, no member twice, no other spelling of a name.
    """
    try:
        parts = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        rows = {
            name: msgspec.json.decode(parts[name], type=list[msgspec.Raw])
            for name in lists
            if name in parts
        }
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise invalid(kind, f"its JSON is malformed ({error})") from None
    if set(parts) != wanted:
        raise invalid(kind, f"its JSON must have {', '.join(sorted(wanted))}")
    lengths = [len(name) + 3 + len(memoryview(part)) for name, part in parts.items()]
    tight = list(parts) == sorted(parts) and len(line) == sum(lengths) + len(parts) + 1
    for name, found in rows.items():
        length = sum(len(memoryview(one)) for one in found) + max(0, len(found) - 1) + 2
        tight = tight and len(memoryview(parts[name])) == length
    if not tight:
        raise PeerError(
            "json-not-canonical", f"{kind} is not canonical JSON; it must be RFC 8785", field=kind
        )
    return {
        name: rows[name] if name in rows else parse_canonical(bytes(part), most_bytes=most)
        for name, part in parts.items()
    }


def shown_time(kind: str, time_us: int) -> str:
    """A time as text.

    Raises:
        PeerError: no date that exists.
    """
    try:
        return format_time(time_us)
    except (OverflowError, ValueError):
        raise invalid(kind, f"time is {time_us} us; it must be a date that exists") from None


def _sha256_line(body: bytes | memoryview) -> bytes:
    """Found by eye and by any shell; it proves nothing, since anyone can compute it again."""
    return b"sha256 " + hashlib.sha256(body).hexdigest().encode() + b"\n"
