"""Alerts: raised and cleared by time, the same on both sides."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest

from detente.agreement.terms import (
    WELL_CLEAR,
    TacticalProfile,
    agreement_hash,
    parse_terms,
)
from detente.conflict.tactical import Alerts, TrackState, engine_profile, find, tracks_of
from detente.errors import UsageError
from oracle import reports

NM, FT, DEG, NOW = reports.NM, reports.FT, reports.DEG, reports.NOW
S = 10**6
RULE = TacticalProfile()
HASH = "ab" * 32


def alerts(profile=RULE):
    """Nothing seen yet."""
    return Alerts(HASH, profile, engine_profile(profile))


def picture(*seen, at=0):
    """Reports of now, moved straight on to `at` seconds."""
    rows = []
    for one in seen:
        rows.append(
            TrackState(
                **one
                | {
                    "lon": one["lon"] + one["east"] * at * DEG // 1_113_194_908,
                    "altitude": one["altitude"] + one["up"] * at,
                    "time": NOW + at * S,
                }
            )
        )
    return tracks_of(rows)


def head_on(apart_nm=40, **change):
    """Two on the equator that fly at each other with 250 m/s."""
    a = reports.report("a", 0, 0, 300_000 * FT // 10, 2_500_000, 0)
    b = reports.report(
        "b", apart_nm * NM * DEG // 1_113_194_908, 0, 300_000 * FT // 10, -2_500_000, 0
    )
    return a | {"party": "north"}, b | {"party": "south"} | change


def kinds(changes):
    """What happened."""
    return [(change.kind, change.alert.level) for change in changes]


def test_a_prediction_alarms_when_it_has_stood_and_rises_as_they_close() -> None:
    """T-ALR-2, T-ALR-3: two that fly at each other: ahead after 2 s, closer when they are, cleared when they have passed for 5 s."""
    watch = alerts()
    said = []
    for at in range(200):
        said += [
            (at, *one) for one in kinds(watch.update(NOW + at * S, picture(*head_on(), at=at)))
        ]
    levels = [(kind, level) for _, kind, level in said]
    assert levels == [("raised", "ahead"), ("changed", "closer"), ("cleared", "closer")]
    raised, closer, cleared = (at for at, _, _ in said)
    assert raised == 2
    assert closer == 138  # 37 of 40 NM at 500 m/s: 137.05 s
    assert cleared == 164  # 43 NM: 159.3 s, last seen at 159, and 5 s


def test_closer_for_too_long_is_a_breach_and_is_foretold() -> None:
    """T-ALR-5: two side by side, 1 NM apart, break the rule of threes after 180 s; when is said at once."""
    a, b = head_on()
    b |= {"lon": 0, "lat": NM * DEG // 1_113_194_908, "east": 2_500_000}
    watch = alerts()
    first = watch.update(NOW, picture(a, b))
    assert kinds(first) == [("raised", "closer")]
    assert first[0].alert.breach_us == NOW + 180 * S
    for at in range(10, 181, 10):
        assert watch.update(NOW + at * S, picture(a, b, at=at)) == []
    assert kinds(watch.update(NOW + 181 * S, picture(a, b, at=181))) == [("changed", "breach")]


def test_one_bad_report_neither_raises_nor_clears() -> None:
    """T-ALR-2, T-ALR-3: a jump for one second makes no alarm, and ends none."""
    far, near = head_on(4000), head_on(30)
    watch = alerts()
    assert watch.update(NOW, picture(*far)) == []
    assert watch.update(NOW + S, picture(*near)) == []
    assert watch.update(NOW + 2 * S, picture(*far)) == []
    for at in range(10, 14):
        watch.update(NOW + at * S, picture(*near))
    assert [one.level for one in watch.live] == ["ahead"]
    assert watch.update(NOW + 14 * S, picture(*far)) == []
    assert watch.update(NOW + 15 * S, picture(*near)) == []
    assert [one.level for one in watch.live] == ["ahead"]


def test_time_counts_and_not_calls() -> None:
    """T-ALR-3: looking ten times a second, once a second or every four: the same alerts with the same ids stand after the same time, within a look."""
    ids = []
    for step_ms in (100, 1000, 4000):
        watch = alerts()
        found = {}
        for at_ms in range(0, 200_000, step_ms):
            at = at_ms / 1000
            rows = picture(*head_on(), at=int(at))
            for change in watch.update(NOW + at_ms * 1000, rows):
                found[change.kind, change.alert.level] = (at_ms, change.alert.id)
        assert list(found) == [("raised", "ahead"), ("changed", "closer"), ("cleared", "closer")]
        ids.append(found)
    for one, two in pairwise(ids):
        for key, (at_ms, name) in one.items():
            assert two[key][1] == name
            assert abs(two[key][0] - at_ms) <= 4000


def test_both_sides_hold_the_same_alert() -> None:
    """T-ALR-1, T-ALR-6: rows in another order, another moment of the second, a missed look: one id; and at one moment the same bytes."""
    a, b = head_on()
    north, south = alerts(), alerts()
    for at in range(20):
        north.update(NOW + at * S, picture(a, b, at=at))
        if at % 3 != 1:
            south.update(NOW + at * S - 400_000, picture(b, a, at=at))
    north.update(NOW + 30 * S, picture(a, b, at=30))
    south.update(NOW + 30 * S, picture(b, a, at=30))
    (one,), (two,) = north.live, south.live
    two = msgspec.structs.replace(two, raised_us=one.raised_us)
    assert msgspec.json.encode(one) == msgspec.json.encode(two)
    assert one.tracks == (("north", "a"), ("south", "b"))


def test_another_agreement_or_profile_is_another_alert() -> None:
    """T-ALR-1: the id holds tracks, agreement, engine and profile, and no time."""
    names = set()
    for profile in (RULE, WELL_CLEAR, msgspec.structs.replace(RULE, look_ahead_s=200)):
        for agreement in (HASH, "cd" * 32):
            for start in (0, 7):
                watch = Alerts(agreement, profile, engine_profile(profile))
                for at in range(start, 120):
                    watch.update(NOW + at * S, picture(*head_on(), at=at))
                names.add(watch.live[0].id)
    assert len(names) == 6


def test_silence_clears_nothing() -> None:
    """T-ALR-4: a track that is not heard of makes its alert stale, and lost after 60 s; never cleared."""
    watch = alerts()
    for at in range(5):
        watch.update(NOW + at * S, picture(*head_on(), at=at))
    a, _ = head_on()
    assert [
        (change.kind, change.alert.stale) for change in watch.update(NOW + 5 * S, picture(a, at=5))
    ] == [("changed", True)]
    assert watch.update(NOW + 40 * S, picture(a, at=40)) == []
    assert watch.live[0].stale
    assert kinds(watch.update(NOW + 64 * S, picture(a, at=64))) == [("lost", "ahead")]
    assert watch.live == []


def test_an_old_report_is_silence() -> None:
    """T-ALR-4: a report of over 60 s ago raises nothing and clears nothing."""
    watch = alerts()
    for at in range(5):
        watch.update(NOW + at * S, picture(*head_on(), at=at))
    said = watch.update(NOW + 70 * S, picture(*head_on(4000), at=4))
    assert [(one.kind) for one in said] == ["lost"]
    assert alerts().update(NOW + 70 * S, picture(*head_on(1))) == []


def test_what_datums_leave_open_is_said_to_be_open() -> None:
    """T-CLO-4: one above ground and one at a pressure level cannot be told apart, and rank below what is sure."""
    a, b = head_on(20)
    watch = alerts()
    for at in range(4):
        watch.update(NOW + at * S, picture(a, b | {"datum": "AGL", "altitude": 0}, at=at))
    assert [one.level for one in watch.live] == ["cannot-tell"]


def test_tracks_of_one_party_do_not_alarm() -> None:
    """T-ALR-1: formation flight is a party's own matter."""
    a, b = head_on(1, party="north")
    assert alerts().update(NOW, picture(a, b)) == []


def test_time_does_not_go_back() -> None:
    """A clock that was set back is an error of the caller's."""
    watch = alerts()
    watch.update(NOW, picture())
    with pytest.raises(UsageError, match="must not be before"):
        watch.update(NOW - 1, picture())


def test_an_agreement_of_before_reads_with_the_same_hash() -> None:
    """A tactical profile that says what 0.4.0 said has the defaults for the rest; the document, and so its hash, is as it was signed."""
    old = {"lateral_tenth_mm": 3 * NM, "vertical_tenth_mm": 3000 * FT, "closer_at_most_s": 180}
    assert parse_terms({"tactical": old}).tactical == TacticalProfile()
    document = {"terms": {"tactical": old}}
    assert (
        agreement_hash(document)
        == "922fa7bf4d7ddd5a16bb3df77b1c7c2d355ab1efcbd201ce20920d4033923ea7"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "other"},
        {"look_ahead_s": 0},
        {"tau_s": -1},
        {"clear_after_s": 0},
        {"x": 1},
        {"raise_after_s": 61},
    ],
)
def test_a_profile_out_of_range_is_refused(wrong) -> None:
    """An agreement with a tactical profile that no engine can keep is not made."""
    with pytest.raises(UsageError, match=r"terms are wrong|must be"):
        parse_terms({"tactical": wrong})


def test_well_clear_is_a_profile_of_its_own() -> None:
    """T-TAU-2: the kind switches modified tau on, and the numbers of DO-365 stand in it."""
    made = engine_profile(WELL_CLEAR)
    assert (made.lateral, made.vertical, made.tau_s) == (4000 * FT, 450 * FT, 35)
    assert engine_profile(RULE).tau_s == 0
    rows = picture(*head_on(20))
    assert (
        find(rows, made, NOW, look_ahead_s=75)[0, 3] < find(rows, engine_profile(RULE), NOW)[0, 4]
    )
