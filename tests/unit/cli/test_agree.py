"""Terms as people write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from detente.cli.agree import friendly_terms, read_terms
from detente.errors import UsageError
from detente.units import TENTH_MM_PER_FT, TENTH_MM_PER_NM


def test_terms_in_miles_feet_and_seconds_become_whole_numbers(tmp_path: Path) -> None:
    """Nautical miles, feet and seconds are exact counts in the agreement."""
    path = tmp_path / "terms.toml"
    path.write_text("[minima]\nlateral_nm = 2.5\nvertical_ft = 1000\ntime_s = 0.5\n")
    minima = read_terms(path).minima
    assert minima.lateral_tenth_mm == TENTH_MM_PER_NM * 5 // 2
    assert minima.vertical_tenth_mm == 1000 * TENTH_MM_PER_FT
    assert minima.time_us == 500_000


def test_minimum_is_read_by_its_digits() -> None:
    """A decimal that no float holds exactly is still the whole count that it says."""
    for text in ("2.7", "0.1", "4.9"):
        found = friendly_terms({"minima": {"lateral_nm": float(text)}})
        whole, _, tenths = text.partition(".")
        assert found["minima"]["lateral_tenth_mm"] * 10 == int(whole + tenths) * TENTH_MM_PER_NM


@pytest.mark.parametrize("value", ["2.5", True, None, 0.123456789, float("nan"), float("inf")])
def test_minimum_that_is_no_exact_number_is_refused(value: Any) -> None:
    """A minimum that is text, or finer than what is counted, is refused with its name."""
    with pytest.raises(UsageError) as caught:
        friendly_terms({"minima": {"lateral_nm": value}})
    assert caught.value.field == "terms.minima.lateral_nm"


@pytest.mark.parametrize(
    "text",
    [
        "lateral = 3",
        "[minima]\nlateral_nm = -1",
        "clock_offset_limit_s = 0",
        "= broken",
        "minima = 3",
        "[scenario_clock]\nname = 'x'",
        "\x00",
    ],
)
def test_terms_that_break_a_rule_are_refused(tmp_path: Path, text: str) -> None:
    """An unknown name, a value out of range and a broken file are refused as terms."""
    path = tmp_path / "terms.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_terms(path)
    assert "terms" in (caught.value.field or "")


def test_missing_file_of_terms_is_named(tmp_path: Path) -> None:
    """Terms that are not there are a usage error with the file's name."""
    with pytest.raises(UsageError) as caught:
        read_terms(tmp_path / "none.toml")
    assert "none.toml" in caught.value.message
