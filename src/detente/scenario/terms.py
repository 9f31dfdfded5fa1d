"""The agreement that a play's parties sign: the defaults, what the script overrides, and its clock."""

from __future__ import annotations

import math

import msgspec
from msgspec.structs import replace

from detente.agreement.terms import ScenarioClock, SeparationMinima, Terms, parse_terms
from detente.errors import UsageError, shown
from detente.scenario.script import RATE_MAX, Script
from detente.units import TENTH_MM_PER_FT, TENTH_MM_PER_NM, US_PER_S, format_time


def agreement_terms(script: Script, real_start_us: int, speed: float = 1.0) -> Terms:
    """The terms that the script's parties agree: defaults, the script's overrides, and its clock.

    Args:
        script: the play.
        real_start_us: the moment in UTC at which the scenario clock shows its start.
        speed: how much faster than written the play runs; the clock's rate is the nearest whole
            number of at least 1, and `play_speed` gives the speed that results.

    Raises:
        UsageError: the terms break a rule of the agreement.
    """
    override = script.terms
    minima = SeparationMinima()
    if override.lateral_nm is not None:
        minima = replace(minima, lateral_tenth_mm=round(override.lateral_nm * TENTH_MM_PER_NM))
    if override.vertical_ft is not None:
        minima = replace(minima, vertical_tenth_mm=round(override.vertical_ft * TENTH_MM_PER_FT))
    if override.time_s is not None:
        minima = replace(minima, time_us=round(override.time_s * US_PER_S))
    rate = clock_rate(script, speed)
    defaults = Terms()
    terms = Terms(
        minima=minima,
        lead_times_s={**defaults.lead_times_s, **dict(override.lead_times_s)},
        receipt_deadlines_s={
            **defaults.receipt_deadlines_s,
            **dict(override.receipt_deadlines_s),
        },
        escalation_s=list(override.escalation_s or defaults.escalation_s),
        comm_checks=list(
            defaults.comm_checks if override.comm_checks is None else override.comm_checks
        ),
        check_reply_s=override.check_reply_s or defaults.check_reply_s,
        # the limit is meant in seconds that pass here; on a clock n times as fast it is n times as many
        clock_offset_limit_s=defaults.clock_offset_limit_s * rate,
        exercise_only=True,
        scenario_clock=ScenarioClock(
            name=script.name,
            starts_at=format_time(script.clock.start_us),
            real_start=format_time(real_start_us),
            rate=rate,
        ),
    )
    return parse_terms(msgspec.to_builtins(terms))


def clock_rate(script: Script, speed: float) -> int:
    """Scenario seconds in one second at this speed: a whole number, because the agreement wants one.

    Raises:
        UsageError: the speed is not above 0, or makes the clock run faster than the limit.
    """
    rate = script.clock.rate * speed
    if not math.isfinite(rate) or speed <= 0 or rate > RATE_MAX:
        raise UsageError(
            "speed-out-of-range",
            f"speed is {shown(speed)}; it must be above 0 and at most {RATE_MAX / script.clock.rate:g} here",
            field="speed",
        )
    return max(1, round(rate))


def play_speed(script: Script, speed: float) -> float:
    """The speed at which steps are played, so that they keep in step with the scenario clock."""
    return clock_rate(script, speed) / script.clock.rate
