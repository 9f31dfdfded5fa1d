"""Tracks: read by column, refused by row, and covered by corridors that leave no point out."""

import io
import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.airspace.area import Circle, Corridor
from detente.airspace.near import Budget
from detente.airspace.shape import Shape, compare_lateral
from detente.errors import UsageError
from detente.interop.flights import PIECES_PER_FLIGHT, corridor_notices
from detente.interop.geojson import format_geojson, parse_notice_geojson
from detente.interop.tracks import parse_tracks

HEAD = "id,time,lat,lon,alt_ft\n"


def csv(*rows, head=HEAD):
    """A CSV file."""
    return (head + "\n".join(rows)).encode()


def flight(seed, points=200, step_s=10.0, lon=7.0, lat=46.5):
    """A flight that turns, climbs and hovers a little, as CSV rows."""
    draw = random.Random(seed)
    heading, alt, t = draw.uniform(0, 2 * math.pi), draw.uniform(2_000, 30_000), 1_533_081_600.0
    turn, climb, speed = 0.0, 0.0, draw.uniform(0, 250)
    rows = []
    for _ in range(points):
        rows.append(f"F{seed},{t:.3f},{lat:.7f},{lon:.7f},{alt:.0f}")
        if draw.random() < 0.1:
            turn, climb = draw.uniform(-0.05, 0.05), draw.uniform(-40, 40)
        heading += turn * step_s
        t += step_s
        alt = min(40_000, max(-500, alt + climb * step_s))
        lat += speed * step_s * math.cos(heading) / 111_195
        lon += speed * step_s * math.sin(heading) / 111_195 / math.cos(math.radians(lat))
        lon = (lon + 180) % 360 - 180
    return rows


# -- reading -------------------------------------------------------------------------------------


def test_csv_columns_in_any_order_and_other_columns_are_read():
    """Columns are found by name; others are left alone; rows may be in any order."""
    tracks = parse_tracks(
        b"alt_ft,callsign,id,lon,lat,time\n1000,X,B,7.5,46.5,20\n900,X,B,7.4,46.4,10.5\n1,Y,A,-180,-90,0\n"
    )
    assert [track.id for track in tracks] == ["A", "B"]
    assert tracks[1].time_us.tolist() == [10_500_000, 20_000_000]
    assert tracks[1].lon_nanodeg.tolist() == [7_400_000_000, 7_500_000_000]
    assert tracks[1].alt_tenth_mm.tolist() == [2_743_200, 3_048_000]
    assert len(tracks[0]) == 1


def test_csv_times_may_be_rfc_3339():
    """A time is epoch seconds or RFC 3339 in Z."""
    (track,) = parse_tracks(csv("A,2018-08-01T00:00:00.25Z,46,7,1000"))
    assert track.time_us.tolist() == [1_533_081_600_250_000]


@pytest.mark.parametrize("stamped", [False, True])
def test_parquet_is_read_like_csv(stamped):
    """The same table as Parquet gives the same tracks; a timestamp column too."""
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [row.split(",") for row in flight(1, 50)]
    times = [float(row[1]) for row in rows]
    column = (
        pyarrow.array([round(t * 1000) for t in times], pyarrow.timestamp("ms", "UTC"))
        if stamped
        else pyarrow.array(times)
    )
    table = pyarrow.table(
        {
            "id": [row[0] for row in rows],
            "time": column,
            "lat": [float(row[2]) for row in rows],
            "lon": [float(row[3]) for row in rows],
            "alt_ft": [float(row[4]) for row in rows],
        }
    )
    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    (one,), (two,) = parse_tracks(csv(*flight(1, 50))), parse_tracks(buffer.getvalue())
    for name in ("time_us", "lon_nanodeg", "lat_nanodeg", "alt_tenth_mm"):
        assert np.array_equal(getattr(one, name), getattr(two, name))


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        (b"", "tracks-column", "id"),
        (HEAD.encode(), "tracks-empty", None),
        (csv("A,0,1,2,3", head="id,time,lat,lon,alt_m\n"), "tracks-column", "alt_ft"),
        (csv("A,0,1,2,3", "A,1,1,2"), "tracks-row", "row 2"),
        (csv("A,0,1,2,3", "A,1,x,2,3"), "tracks-value", "row 2, lat"),
        (csv("A,0,1,2,3", "A,1,1,2,"), "tracks-value", "row 2, alt_ft"),
        (csv("A,0,1,2,3", "A,1,nan,2,3"), "tracks-value", "row 2, lat"),
        (csv("A,0,1,2,inf"), "tracks-value", "row 1, alt_ft"),
        (csv("A,0,95,2,3"), "tracks-value", "row 1, lat"),
        (csv("A,0,1,181,3"), "tracks-value", "row 1, lon"),
        (csv("A,soon,1,2,3"), "tracks-value", "row 1, time"),
        (
            csv("A,2018-08-01T00:00:00Z,1,2,3", "A,2018-08-01,1,2,3"),
            "time-malformed",
            "row 2, time",
        ),
        (csv(",0,1,2,3"), "track-id", "row 1, id"),
        (csv("A,0,1,2,3", "A,0,1,2.1,3"), "tracks-two-places", "row 2"),
        (b"PAR1 but not really", "tracks-malformed", None),
        (b"id,time,lat,lon,alt_ft\n\xff", "tracks-not-utf8", None),
        (b"id,time\n1,2", "tracks-column", "lat"),
        (csv("A,0,1,2,3,3", head="id,time,lat,lon,alt_ft,lat\n"), "tracks-column", "lat"),
        (csv("A" * 201 + ",0,1,2,3"), "track-id", "row 1, id"),
        (csv("A,0,1,2,3", "", "A,5,1,2,3", "A,9,1e400,2,3"), "tracks-value", "row 4, lat"),
        (csv("A,5,1,2,3", "A,2018-08-01T00:00:00Z,1,2,3"), "tracks-value", "row 2, time"),
        (csv("A,5,1,2,3", "B" * 70_000), "tracks-line", None),
        (csv("A,5,1_0,2,3"), "tracks-value", "row 1, lat"),
        (csv("A,5,1,2,3", "A,6,1,\u0662,3"), "tracks-value", "row 2, lon"),
        (csv("A,1_0,1,2,3"), "tracks-value", "row 1, time"),
        (csv("A,5,1,2,3", "A\x1b[31m,5,1,2,3"), "track-id", "row 2, id"),
        (csv('"A\nB",5,1,2,3'), "track-id", "row 1, id"),
    ],
)
def test_tracks_that_cannot_be_read_are_refused_by_row(data, code, field):
    """An error names the row and column, the value and the rule."""
    with pytest.raises(UsageError) as error:
        parse_tracks(data)
    assert (error.value.code, error.value.field) == (code, field)
    assert "must" in error.value.message


def as_parquet(**columns):
    """Two rows of a Parquet file, some columns other than usual."""
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    usual = {"id": ["A", "A"], "time": [0.0, 10.0], "lat": [1.0] * 2, "lon": [2.0] * 2}
    table = pyarrow.table({**usual, "alt_ft": [3.0] * 2, **columns})
    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("column", "values", "kind", "code", "field"),
    [
        ("lat", [[1.0], [2.0]], None, "tracks-column", "lat"),
        ("lat", [True, False], None, "tracks-column", "lat"),
        ("lon", [{"a": 1}] * 2, None, "tracks-column", "lon"),
        ("id", [b"A", b"\xff"], None, "tracks-column", "id"),
        ("id", [["A"], ["B"]], None, "tracks-column", "id"),
        ("alt_ft", [1, None], None, "tracks-value", "row 2, alt_ft"),
        ("time", [1, 2], "date32", "tracks-column", "time"),
        ("time", [2**62, 2**62 + 1], "timestamp[us]", "tracks-value", "row 1, time"),
        ("time", [2**62, 2**62 + 1], "timestamp[ms]", "tracks-value", "row 1, time"),
        ("time", [0, -1], "timestamp[ms]", "tracks-value", "row 2, time"),
        ("time", [0, None], "timestamp[us]", "tracks-value", "row 2, time"),
        ("time", [None, 0], "timestamp[us]", "tracks-value", "row 1, time"),
    ],
)
def test_parquet_columns_of_a_wrong_kind_are_refused(column, values, kind, code, field):
    """A flag, a list, bytes or a date is no number; a stamp before 1970 or past 9999 is refused like such a number."""
    pyarrow = pytest.importorskip("pyarrow")
    types = {
        "date32": pyarrow.date32(),
        **{f"timestamp[{unit}]": pyarrow.timestamp(unit) for unit in ("s", "ms", "us", "ns")},
    }
    data = as_parquet(**{column: pyarrow.array(values, types.get(kind))})
    with pytest.raises(UsageError) as error:
        parse_tracks(data)
    assert (error.value.code, error.value.field) == (code, field)
    assert "must" in error.value.message


def test_parquet_stamps_of_nanoseconds_are_rounded_once():
    """The usual stamps of data frames are read; to the microsecond, half to even."""
    pyarrow = pytest.importorskip("pyarrow")
    times = pyarrow.array([1_000_500, 3_500], pyarrow.timestamp("ns", "Europe/Paris"))
    (track,) = parse_tracks(as_parquet(time=times))
    assert track.time_us.tolist() == [4, 1_000]
    (track,) = parse_tracks(as_parquet(time=pyarrow.array([2, 5], pyarrow.timestamp("s"))))
    assert track.time_us.tolist() == [2_000_000, 5_000_000]


@given(
    st.decimals("-90", "90", places=11),
    st.decimals("0", "253402300799", places=8),
    st.decimals("-5000", "200000", places=6),
)
def test_csv_values_are_read_as_decimals_and_rounded_once(lat, time, alt):
    """What is written counts, not its nearest float: half to even, at any number of digits and any year."""
    (track,) = parse_tracks(csv(f"A,{time},{lat},{lat},{alt}"))
    assert track.lat_nanodeg.tolist() == [round(Fraction(lat) * 10**9)]
    assert track.time_us.tolist() == [round(Fraction(time) * 10**6)]
    assert track.alt_tenth_mm.tolist() == [round(Fraction(alt) * 3048)]


@pytest.mark.parametrize(
    ("text", "nanodeg"),
    [
        ("50.0000000005", 50_000_000_000),
        ("50.0000000015", 50_000_000_002),
        ("-0.0000000005", 0),
        ("8.0000000005000000000000000001", 8_000_000_001),
        ("8.0000000005" + "0" * 30_000, 8_000_000_000),
    ],
)
def test_csv_values_half_way_are_read_exactly(text, nanodeg):
    """Half way between two whole numbers a float would guess."""
    (track,) = parse_tracks(csv(f"A,0,{text},{text},0"))
    assert track.lon_nanodeg.tolist() == [nanodeg]


def test_rows_that_repeat_are_one_point():
    """The same row twice says nothing new."""
    (track,) = parse_tracks(csv("A,0,1,2,3", "A,0,1,2,3", "A,5,1,2,3"))
    assert len(track) == 2


# -- flights -------------------------------------------------------------------------------------


def covered(track, notice):
    """Whether every recorded point lies inside a piece, in place, height and time."""
    shapes = [Shape(piece.geometry, piece.edges) for piece in notice.pieces]
    points = zip(
        track.time_us, track.lon_nanodeg, track.lat_nanodeg, track.alt_tenth_mm, strict=True
    )
    for time, lon, lat, alt in points:
        spot = Shape(Circle((int(lon), int(lat)), 1), "planar")
        if not any(
            piece.start_us <= time < piece.end_us
            and piece.lower.tenth_mm < alt < piece.upper.tenth_mm
            and compare_lateral(shape, spot, 0, Budget(10**6)) < 0
            for piece, shape in zip(notice.pieces, shapes, strict=True)
        ):
            return False
    return True


@given(st.integers(0, 10**6), st.sampled_from([(7.0, 46.5), (179.95, 10.0), (0.0, 88.0)]))
@settings(max_examples=25, deadline=None)
def test_flight_every_recorded_point_lies_inside_a_piece(seed, start):
    """The corridor covers what was flown, across the antimeridian and near a pole too."""
    (track,) = parse_tracks(csv(*flight(seed, 60, lon=start[0], lat=start[1])))
    (notice,) = corridor_notices([track])
    assert covered(track, notice)
    assert 1 <= len(notice.pieces) <= PIECES_PER_FLIGHT
    assert all(piece.lower.datum == piece.upper.datum == "STD" for piece in notice.pieces)


def test_flight_coverage_check_can_fail():
    """The check above finds a point that is left out."""
    (track,) = parse_tracks(csv(*flight(1, 60)))
    (other,) = corridor_notices(parse_tracks(csv(*flight(2, 60))))
    assert not covered(track, other)


def test_flight_of_a_day_has_bounded_pieces():
    """A long recording gets longer legs, not more pieces than the bound."""
    (track,) = parse_tracks(csv(*flight(3, 3_000, step_s=28)))
    (notice,) = corridor_notices([track])
    assert len(notice.pieces) <= PIECES_PER_FLIGHT
    assert covered(track, notice)


def test_flight_with_a_gap_claims_nothing_in_the_gap():
    """Where nothing was recorded for longer than ten minutes, no piece is made."""
    rows = ["A,0,46,7,3000", "A,60,46.01,7,3000", "A,4000,46.5,7,3000", "A,4060,46.51,7,3000"]
    (notice,) = corridor_notices(parse_tracks(csv(*rows)))
    assert [(p.start_us // 10**6, p.end_us // 10**6) for p in notice.pieces] == [
        (0, 61),
        (4000, 4061),
    ]


def test_flight_that_stands_still_is_a_circle():
    """A hover, or a single point, is a circle."""
    rows = ["A,0,46,7,3000", "A,10,46.001,7,3000", "A,20,46,7,3000"]
    (notice,) = corridor_notices(parse_tracks(csv(*rows)))
    assert isinstance(notice.pieces[0].geometry, Circle)
    assert covered(parse_tracks(csv(*rows))[0], notice)
    (single,) = corridor_notices(parse_tracks(csv("A,0,46,7,3000")))
    assert isinstance(single.pieces[0].geometry, Circle)


def test_flights_names_are_made_valid_and_unique():
    """Names that a notice cannot have are made so that no two are the same."""
    tracks = parse_tracks(csv("a b,0,1,2,3", "a/b,0,1,2,3", "***,0,1,2,3", f"{'x' * 99},0,1,2,3"))
    names = [notice.name for notice in corridor_notices(tracks)]
    assert len(set(names)) == 4
    assert sorted(names)[:2] == ["a-b", "a-b-2"]
    assert "track" in names


def test_flight_notice_round_trips_through_geojson():
    """What is written to a file is the notice that was made."""
    notices = corridor_notices(parse_tracks(csv(*flight(5, 80))), exercise=True)
    assert parse_notice_geojson(format_geojson(notices[0])) == notices[0]
    assert notices[0].exercise
    assert any(isinstance(piece.geometry, Corridor) for piece in notices[0].pieces)
