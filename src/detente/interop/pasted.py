"""The one door for what an officer types, pastes or drops: what kind of text it is, and what is in it."""

from __future__ import annotations

import re

from detente.errors import UsageError
from detente.interop.foreign import read_geojson
from detente.interop.found import Reading
from detente.interop.kml import parse_kml
from detente.interop.notam import is_notam, parse_notam
from detente.interop.sketch import read_sketch
from detente.limits import READ_BYTES

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def read_pasted(data: bytes) -> Reading:
    """What is in a text: coordinates in any notation, a circle, a corridor, GeoJSON, KML or a NOTAM.

    Args:
        data: UTF-8, with or without byte order mark; KML may have another encoding that it declares.

    Raises:
        UsageError: nothing in it can be read, or it can be read in two ways.

    Example:
        >>> read_pasted(b"353125N 0354716E 5NM").features[0].properties.radius_nm
        5.0
    """
    if len(data) > READ_BYTES:
        raise UsageError(
            "text-too-large",
            f"text has {len(data):,} bytes; it must have at most {READ_BYTES:,}",
            hint="a whole file of notices goes through: detente notice file",
            field="text",
        )
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith((b"<", b"PK\x03\x04")) or data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return parse_kml(data if data.startswith((b"\xff\xfe", b"\xfe\xff")) else start)
    if start.startswith((b"{", b"[{")):
        return read_geojson(start)
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="strict")
    except UnicodeDecodeError as error:
        raise UsageError(
            "text-encoding",
            f"byte {error.start + 1:,} is not UTF-8; text must be UTF-8",
            hint="save it as UTF-8",
            field="text",
        ) from None
    found = _CONTROL.search(text)
    if found is not None:
        raise UsageError(
            "text-control",
            f"character {found.start() + 1:,} is a control character; text must have none",
            field="text",
        )
    if not text.strip():
        raise UsageError("text-empty", "text is empty; it must have a position", field="text")
    return parse_notam(text) if is_notam(text) else read_sketch(text)
