"""The terms that a play's parties agree."""

from importlib import resources

import pytest

from detente.errors import UsageError
from detente.scenario.script import SHIPPED, Script, parse_script
from detente.scenario.terms import agreement_terms, clock_rate, play_speed
from detente.units import TENTH_MM_PER_FT, TENTH_MM_PER_NM, parse_time

NOW_US = parse_time("2026-01-01T00:00:00Z")


def shipped(name: str) -> Script:
    """A script of the package's data folder, parsed."""
    folder = resources.files("detente.scenario") / "data"
    return parse_script((folder / SHIPPED[name]).read_bytes())


@pytest.mark.parametrize("name", SHIPPED)
def test_agreement_terms_declare_the_clock_and_exercise_only(name: str) -> None:
    """C-11: Every play agrees on its declared clock and on exercise only."""
    terms = agreement_terms(shipped(name), NOW_US)
    assert terms.exercise_only
    assert terms.scenario_clock is not None
    assert terms.scenario_clock.real_start == "2026-01-01T00:00:00Z"


def test_agreement_terms_take_the_overrides() -> None:
    """Minima and lead times of the script are in the terms; others keep their defaults."""
    terms = agreement_terms(shipped("two-patrols"), NOW_US)
    assert terms.minima.lateral_tenth_mm == 3 * TENTH_MM_PER_NM
    assert terms.minima.vertical_tenth_mm == 3000 * TENTH_MM_PER_FT
    assert terms.lead_times_s["patrol"] == 900
    assert terms.lead_times_s["default"] == 600


def test_play_speed_keeps_step_with_the_clock() -> None:
    """Whatever speed is asked for, steps and scenario clock run at one ratio."""
    script = shipped("two-patrols")
    assert clock_rate(script, 2) == 120
    assert play_speed(script, 2) == 2
    assert clock_rate(script, 0.001) == 1
    assert play_speed(script, 0.001) == pytest.approx(1 / 60)


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf"), 1e9])
def test_clock_rate_bad_speed_is_refused(speed: float) -> None:
    """A speed of nothing, of no number, or past the limit is refused."""
    with pytest.raises(UsageError, match="speed is"):
        clock_rate(shipped("two-patrols"), speed)
