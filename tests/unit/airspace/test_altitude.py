"""Altitudes: exact in one datum, bounded between two, never silently mixed."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.airspace.altitude import (
    DATUMS,
    DatumBounds,
    build_altitude,
    check_band,
    format_altitude,
    parse_altitude,
    parse_altitude_body,
    parse_bounds,
    parse_number,
)
from detente.errors import UsageError


def altitude(value, unit="ft", datum="MSL"):
    """An altitude in feet of mean sea level, unless said otherwise."""
    return parse_altitude({"value": value, "unit": unit, "datum": datum}, field="lower")


def test_altitude_feet_metres_and_levels_are_exact():
    """5,000 ft, 1,524 m and FL 050 are the same count of 0.1 mm."""
    assert altitude(5000).tenth_mm == altitude(1524, "m").tenth_mm == 15_240_000
    assert altitude(50, "FL", "STD").tenth_mm == 15_240_000


def test_altitude_decimal_of_a_foot_rounds_half_even_once():
    """0.1 ft is 304.8 tenths of a millimetre and becomes 305, not a binary fraction."""
    assert altitude(Decimal("0.1")).tenth_mm == 305


def test_altitude_binary_float_is_refused():
    """A float could not say 0.1, so the parser accepts none."""
    with pytest.raises(UsageError) as error:
        altitude(0.1)
    assert error.value.field == "lower.value"


@pytest.mark.parametrize(
    ("value", "code", "field"),
    [
        ("high", "altitude-malformed", "upper"),
        ({"value": 1, "unit": "ft"}, "altitude-malformed", "upper.datum"),
        ({"value": 1, "unit": "ft", "datum": "MSL", "x": 1}, "property-unknown", "upper"),
        ({"value": 1, "unit": "km", "datum": "MSL"}, "altitude-unit-unknown", "upper.unit"),
        ({"value": 1, "unit": "ft", "datum": "QNH"}, "altitude-datum-unknown", "upper.datum"),
        ({"value": 1, "unit": "FL", "datum": "MSL"}, "altitude-fl-datum", "upper.datum"),
        ({"value": True, "unit": "ft", "datum": "MSL"}, "number-malformed", "upper.value"),
        ({"value": "5000", "unit": "ft", "datum": "MSL"}, "number-malformed", "upper.value"),
        ({"value": 10**12, "unit": "ft", "datum": "MSL"}, "altitude-range", "upper.value"),
        ({"value": [], "unit": [], "datum": {}}, "number-malformed", "upper.value"),
        ({"value": 1, "unit": [], "datum": "MSL"}, "altitude-unit-unknown", "upper.unit"),
    ],
)
def test_altitude_bad_input_is_refused_by_name(value, code, field):
    """Every malformed altitude names the part and the rule that it breaks."""
    with pytest.raises(UsageError) as error:
        parse_altitude(value, field="upper")
    assert (error.value.code, error.value.field) == (code, field)
    assert "must" in error.value.message


def test_number_with_huge_exponent_is_refused_at_once():
    """A number such as 1e999999999 cannot make us build a gigabyte integer."""
    with pytest.raises(UsageError):
        parse_number(Decimal("1e999999999"), field="x")
    with pytest.raises(UsageError):
        parse_number(Decimal("NaN"), field="x")
    assert parse_number(Decimal("0e-999999"), field="x") == 0


def test_altitude_body_round_trips_and_bool_is_refused():
    """The canonical form rebuilds the same altitude, and True is not the integer 1."""
    high = altitude(250, "FL", "STD")
    assert parse_altitude_body(high.body(), field="x") == high
    with pytest.raises(UsageError):
        parse_altitude_body({"tenth_mm": True, "unit": "ft", "datum": "MSL"}, field="x")


def test_altitude_value_is_the_number_given():
    """The number that the sender wrote comes back in the sender's unit."""
    assert altitude(Decimal("1500.5"), "m").value == Fraction(3001, 2)


@pytest.mark.parametrize(
    ("tenth_mm", "datum", "unit", "text"),
    [
        (25_000 * 3048, "STD", "ft", "FL 250"),
        (8_500 * 3048, "STD", "FL", "FL 085"),
        (25_050 * 3048, "STD", "ft", "25,050 ft STD"),
        (5_000 * 3048, "MSL", "ft", "5,000 ft MSL"),
        (3_000_000, "AGL", "m", "300 m AGL"),
        (-100 * 3048, "STD", "ft", "-100 ft STD"),
    ],
)
def test_altitude_text_always_names_its_datum(tenth_mm, datum, unit, text):
    """No altitude is shown without its datum; FL is the name of STD."""
    assert format_altitude(tenth_mm, datum, unit=unit) == text


def test_band_upside_down_is_refused_and_ground_may_help():
    """Upper must be above lower; only an upper edge above ground may have the smaller number."""
    with pytest.raises(UsageError, match="must be above"):
        check_band(altitude(5000), altitude(5000), field="upper")
    with pytest.raises(UsageError, match="must be above"):
        check_band(altitude(300, "FL", "STD"), altitude(5000), field="upper")
    check_band(altitude(8000), altitude(500, datum="AGL"), field="upper")


def test_bounds_same_datum_is_exact_for_every_flight_level_pair():
    """At all 54 flight-level pairs 1,000 ft apart the gap is exactly 1,000 ft (defects 4 and 5)."""
    for level in range(50, 590, 10):
        lower, upper = altitude(level, "FL", "STD"), altitude(level + 10, "FL", "STD")
        assert DatumBounds().gap(upper, lower) == (3_048_000, 3_048_000)


@given(st.integers(-20_000_000, 10**9), st.sampled_from(DATUMS))
def test_bounds_range_contains_the_nominal_value(tenth_mm, datum):
    """With bounds that contain their standard values a number can mean itself."""
    low, high = DatumBounds().range_msl(tenth_mm, datum)
    assert low <= tenth_mm <= high


@given(
    st.integers(0, 10**8),
    st.sampled_from(DATUMS),
    st.integers(0, 10**8),
    st.sampled_from(DATUMS),
)
def test_bounds_gap_is_antisymmetric(value_a, datum_a, value_b, datum_b):
    """The gap from a to b is the negative of that from b to a, ends exchanged."""
    a = build_altitude(value_a, "m", datum_a, field="a")
    b = build_altitude(value_b, "m", datum_b, field="b")
    low, high = DatumBounds().gap(a, b)
    assert DatumBounds().gap(b, a) == (-high, -low)


def test_bounds_pressure_term_bounds_the_standard_atmosphere():
    """9 m a hectopascal is never less than ICAO's atmosphere gives over the whole pressure range."""
    for hpa in range(870, 1086):
        height_m = 44_330.77 * (1 - (hpa / 1013.25) ** 0.190263)
        assert abs(height_m) <= 9 * abs(1013.25 - hpa) + 1e-6


def test_bounds_wider_contains_both_and_round_trips():
    """The stricter reading of two bounds contains both; the canonical form rebuilds it."""
    one, two = DatumBounds(qnh_min_pa=98_000), DatumBounds(terrain_max_tenth_mm=10_000_000)
    both = one.wider(two)
    assert both == two.wider(one) == DatumBounds()
    assert parse_bounds(both.body()) == both


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"qnh": 1},
        {"qnh_min_pa": 95_000.0},
        {"qnh_min_pa": 102_000},
        {"geoid_min_tenth_mm": 900_000, "geoid_max_tenth_mm": 1},
        {"cold_permille": -1},
    ],
)
def test_bounds_malformed_or_empty_are_refused(value):
    """Bounds from a peer's agreement are checked like everything else."""
    with pytest.raises(UsageError):
        parse_bounds(value)
