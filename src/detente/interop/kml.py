"""The placemarks of a KML file as shapes. Pictures, styles and what is fetched from elsewhere are no shapes.

A file from a stranger is an attack until read: no document type, no entity, a bound on size, depth and the
number of elements, and nothing in it is ever fetched. Heights stand in the coordinates of KML and mean one of
several things by `altitudeMode`; they are reported and never taken for a band.

Source: OGC 12-007r2 (KML 2.3): coordinates are longitude, latitude and perhaps height, joined by commas.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NoReturn
from xml.parsers import expat

import msgspec

from detente.airspace.area import LonLat, check_count, check_position
from detente.errors import UsageError, shown
from detente.interop.coordinates import METRES_PER_DEGREE
from detente.interop.found import (
    FeatureRead,
    Geometry,
    LineGeometry,
    Note,
    PointGeometry,
    PolygonGeometry,
    PositionRead,
    PropertiesRead,
    Reading,
    coordinates,
    degrees,
    place_only,
)
from detente.limits import KML_DEPTH, KML_ELEMENTS, NAME_CHARS, READ_BYTES, READ_FEATURES
from detente.units import NANODEG_PER_DEG

_DECIMAL = re.compile(r"[+-]?\d{1,3}(?:\.\d{1,40})?", re.ASCII)
_HEIGHT = re.compile(r"[+-]?\d{1,9}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,2})?", re.ASCII)
_NAMESPACE_CHARS = 200  # those of KML have 31 to 36
_SHAPES = ("Point", "LineString", "LinearRing", "Polygon")
_TEXTS = ("coordinates", "name", "altitudeMode")
# What would show or move something and is not read; each is named in a note.
_SKIPPED = (
    "GroundOverlay",
    "ScreenOverlay",
    "PhotoOverlay",
    "NetworkLink",
    "Model",
    "Tour",
    "Track",
    "MultiTrack",
    "TimeSpan",
    "TimeStamp",
    "ExtendedData",
)
_FETCHED_NEVER = frozenset({"NetworkLink", "Model", "Track", "MultiTrack", "Tour"})


class _Shape(msgspec.Struct):
    """A geometry element that is still open."""

    kind: str
    rings: list[list[LonLat]] = []


class _Mark(msgspec.Struct):
    """A placemark that is still open."""

    name: str = ""
    shapes: list[_Shape] = []


def parse_kml(data: bytes) -> Reading:
    """The shapes of all placemarks, in the order of the file.

    Args:
        data: the file, XML in UTF-8 or what its declaration says.

    Raises:
        UsageError: no XML, too large or deep, with a document type, or without any shape.
    """
    if data.startswith(b"PK\x03\x04"):
        raise UsageError(
            "kml-zipped",
            "file is a KMZ archive; it must be KML",
            hint="unpack it (it is a zip file) and read the doc.kml inside",
        )
    if len(data) > READ_BYTES:
        raise UsageError(
            "kml-too-large",
            f"file has {len(data):,} bytes; it must have at most {READ_BYTES:,}",
            hint="save only the placemarks that are meant",
        )
    return _Reader().read(data)


class _Reader:
    """Takes elements as they come; holds what is open."""

    def __init__(self) -> None:
        # names come as "namespace name"; KML of every version and gx: differ only in the namespace
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.EntityDeclHandler = self._doctype
        self.parser.ExternalEntityRefHandler = self._doctype
        self.parser.StartNamespaceDeclHandler = self._namespace
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.path: list[str] = []
        self.count = 0
        self.said: list[str] | None = None
        self.mark: _Mark | None = None
        self.shapes: list[_Shape] = []
        self.features: list[FeatureRead] = []
        self.reads: list[PositionRead] = []
        self.notes: dict[str, Note] = {}
        self.modes: set[str] = set()
        self.heights: list[float] = []

    def read(self, data: bytes) -> Reading:
        try:
            self.parser.Parse(data, True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            line = getattr(error, "lineno", None) or self.parser.CurrentLineNumber
            column = getattr(error, "offset", 0) or 0
            why = (
                expat.ErrorString(error.code) if isinstance(error, expat.ExpatError) else "encoding"
            )
            raise UsageError(
                "kml-malformed",
                f"file cannot be read as XML ({why}); it must be a KML document",
                field=f"line {line}, column {column + 1}",
            ) from None
        if not self.features:
            raise UsageError(
                "kml-empty",
                "file has no placemark with a point, a line or a polygon; it must have one",
                field="Placemark",
            )
        if self.heights:
            values: dict[str, str | int | float] = {
                "mode": ", ".join(sorted(self.modes)) or "clampToGround",
                "least_m": min(self.heights),
                "greatest_m": max(self.heights),
            }
            self.notes["heights-not-read"] = Note("heights-not-read", values)
        elif self.modes - {"clampToGround"}:
            mode = ", ".join(sorted(self.modes))
            self.notes["heights-not-read"] = Note("heights-not-read", {"mode": mode})
        return place_only(
            kind="kml",
            features=self.features,
            positions=self.reads,
            notes=list(self.notes.values()),
        )

    def _here(self) -> str:
        return f"line {self.parser.CurrentLineNumber}, column {self.parser.CurrentColumnNumber + 1}"

    def _refuse(self, code: str, message: str, hint: str = "") -> NoReturn:
        raise UsageError(code, message, hint=hint, field=self._here())

    # Attack: a document type declares an entity that names a file or an address of the reader's side
    # (it is fetched or shown), or ten entities that each repeat another ten times (it fills the memory).
    def _doctype(self, *_: object) -> NoReturn:
        self._refuse(
            "kml-doctype",
            "file has a document type or an entity; KML must have neither",
            "nothing that it names is opened",
        )

    def _namespace(self, _prefix: object, uri: str | None) -> None:
        # it is written out with the name of every element: a long one would unfold a small file
        if uri is not None and len(uri) > _NAMESPACE_CHARS:
            self._refuse(
                "kml-namespace",
                f"namespace has {len(uri):,} characters; it must have at most {_NAMESPACE_CHARS}",
            )

    def _start(self, qualified: str, _attributes: object) -> None:
        name = qualified.rpartition(" ")[2]
        self.path.append(name)
        self.count += 1
        if len(self.path) > KML_DEPTH:
            self._refuse(
                "kml-depth",
                f"file is nested more than {KML_DEPTH} deep; it must be at most that",
            )
        if self.count > KML_ELEMENTS:
            self._refuse(
                "kml-elements",
                f"file has more than {KML_ELEMENTS:,} elements; it must have at most that",
            )
        if len(self.path) == 1 and name not in ("kml", "Placemark", "Document", "Folder", *_SHAPES):
            self._refuse("kml-root", f"file begins with {shown(name)}; it must begin with kml")
        if name in _SKIPPED:
            code = "element-not-fetched" if name in _FETCHED_NEVER else "element-skipped"
            self.notes.setdefault(f"{code}:{name}", Note(code, {"element": name}))
        if name == "Placemark":
            self.mark = _Mark()
        elif name in _SHAPES and not (name == "LinearRing" and "Polygon" in self.path[:-1]):
            if any(one in _SHAPES for one in self.path[:-1]):
                self._refuse("kml-nested", f"{name} stands inside another shape; it must not")
            self.shapes.append(_Shape(name))
        elif name in _TEXTS:
            self.said = []

    def _text(self, text: str) -> None:
        if self.said is not None:
            self.said.append(text)

    def _end(self, qualified: str) -> None:
        name = qualified.rpartition(" ")[2]
        parent = self.path[-2] if len(self.path) > 1 else ""
        said = "".join(self.said or ()).strip()
        if name in _TEXTS:
            self.said = None
        if name == "coordinates" and self.shapes and parent in _SHAPES:
            self.shapes[-1].rings.append(self._positions(said))
        elif name == "name" and parent == "Placemark" and self.mark is not None:
            self.mark.name = said
        elif name == "altitudeMode" and parent in _SHAPES:
            self.modes.add(said[:NAME_CHARS])
        elif (
            self.shapes
            and name == self.shapes[-1].kind
            and not (name == "LinearRing" and "Polygon" in self.path[:-1])
        ):
            shape = self.shapes.pop()
            if self.mark is None:
                self._close(_Mark(shapes=[shape]))
            else:
                self.mark.shapes.append(shape)
        elif name == "Placemark" and self.mark is not None:
            self._close(self.mark)
            self.mark = None
        self.path.pop()

    def _positions(self, text: str) -> list[LonLat]:
        # "1,2 3,4" is the rule; some programs put spaces after the commas
        words = ",".join(part.strip() for part in text.split(",")).split()
        check_count(len(words), field=self._here())
        found = []
        for word in words:
            parts = word.split(",")
            good = len(parts) in (2, 3) and all(_DECIMAL.fullmatch(part) for part in parts[:2])
            if not good or (len(parts) == 3 and not _HEIGHT.fullmatch(parts[2])):
                self._refuse(
                    "kml-position",
                    f"position is {shown(word)}; it must be longitude,latitude or longitude,latitude,height",
                )
            lon, lat = (round(Fraction(part) * NANODEG_PER_DEG) for part in parts[:2])
            position = check_position(lon, lat, field=self._here())
            if len(parts) == 3 and float(parts[2]) != 0:
                self.heights.append(float(parts[2]))
            decimals = min(len(part.partition(".")[2]) for part in parts[:2])
            self.reads.append(
                PositionRead(
                    lat=degrees(lat),
                    lon=degrees(lon),
                    as_read=word[:NAME_CHARS],
                    notation="decimal",
                    precision_m=float(f"{METRES_PER_DEGREE / 10 ** min(decimals, 9):.3g}"),
                )
            )
            found.append(position)
        return found

    def _close(self, mark: _Mark) -> None:
        if not mark.shapes:
            self.notes.setdefault(
                "placemark-empty", Note("placemark-empty", {"name": mark.name[:NAME_CHARS]})
            )
        for shape in mark.shapes:
            if len(self.features) >= READ_FEATURES:
                self._refuse(
                    "kml-too-many",
                    f"file has more than {READ_FEATURES} shapes; it must have at most that",
                    "save only the placemarks that are meant",
                )
            properties = PropertiesRead()
            if mark.name:
                properties.name = mark.name[:NAME_CHARS]
            self.features.append(FeatureRead(geometry=self._geometry(shape), properties=properties))

    def _geometry(self, shape: _Shape) -> Geometry:
        if not shape.rings or not shape.rings[0]:
            self._refuse("kml-position", f"{shape.kind} has no coordinates; it must have some")
        first = shape.rings[0]
        if shape.kind == "Point":
            if len(first) != 1:
                self._refuse("kml-position", f"Point has {len(first)} positions; it must have one")
            self._note("size-missing", wanted="radius")
            return PointGeometry(coordinates(first[0]))
        if shape.kind == "LineString":
            if len(first) < 2:
                self._refuse(
                    "kml-position", "LineString has one position; it must have two at least"
                )
            self._note("size-missing", wanted="half_width")
            return LineGeometry([coordinates(position) for position in first])
        rings = []
        for ring in shape.rings:
            if ring and ring[0] != ring[-1]:
                self._note("ring-closed")
                ring = [*ring, ring[0]]
            if len(ring) < 4:
                self._refuse(
                    "kml-position",
                    f"ring has {len(ring)} positions; it must have at least 4, the last equal to the first",
                )
            rings.append([coordinates(position) for position in ring])
        return PolygonGeometry(rings)

    def _note(self, code: str, **values: str) -> None:
        self.notes.setdefault(f"{code}:{values}", Note(code, dict(values)))
