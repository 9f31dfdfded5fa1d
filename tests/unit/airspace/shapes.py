"""Shapes in degrees and metres, for tests."""

from detente.airspace.area import Area, Circle, Corridor
from detente.airspace.near import Budget
from detente.airspace.rules import check_geometry
from detente.airspace.shape import Shape, compare_lateral

METRE = 10_000
NM = 18_520_000


def nanodeg(degrees):
    """Degrees as integers of 1e-9 degree."""
    return round(degrees * 10**9)


def polygon(points, *holes, edges="planar"):
    """One polygon from unclosed rings of (lon, lat) degrees."""
    rings = [[(nanodeg(x), nanodeg(y)) for x, y in ring] for ring in (points, *holes)]
    area = Area((tuple((*ring, ring[0]) for ring in rings),))
    check_geometry(area, edges, field="geometry")
    return Shape(area, edges)


def box(west, south, east, north, edges="planar"):
    """A box of degrees."""
    return polygon([(west, south), (east, south), (east, north), (west, north)], edges=edges)


def several(*shapes):
    """A MultiPolygon of the polygons of some shapes."""
    area = Area(tuple(rings for shape in shapes for rings in shape.geometry.polygons))
    check_geometry(area, shapes[0].edges, field="geometry")
    return Shape(area, shapes[0].edges)


def circle(lon, lat, radius_m, edges="planar"):
    """A circle."""
    return Shape(Circle((nanodeg(lon), nanodeg(lat)), round(radius_m * METRE)), edges)


def corridor(points, half_width_m, edges="geodesic"):
    """A corridor."""
    line = tuple((nanodeg(x), nanodeg(y)) for x, y in points)
    geometry = Corridor(line, round(half_width_m * METRE))
    check_geometry(geometry, edges, field="geometry")
    return Shape(geometry, edges)


def lateral(a, b, minimum_m=0, most=10**8):
    """The lateral comparison, made both ways; a difference between the sides is a failure."""
    minimum = round(minimum_m * METRE)
    answer = compare_lateral(a, b, minimum, Budget(most))
    assert compare_lateral(b, a, minimum, Budget(most)) == answer
    return answer
