"""Acts of the hotline in a script: what is taken, what is refused by field, and the mirror."""

from __future__ import annotations

import pytest

from detente.errors import UsageError
from detente.scenario.act import (
    ACTS,
    Acted,
    Alarm,
    Cease,
    Ladder,
    Line,
    Looked,
    Message,
    Presence,
    ReadBack,
    Urgent,
)
from detente.scenario.script import SHIPPED, Script, parse_script, swap_parties
from detente.scenario.settle import Advised, option_key
from detente.scenario.terms import agreement_terms
from unit.scenario.test_script import shipped

HEAD = """
format = "detente-script-1"
exercise = true
name = "acts"
title = "North and South"
[clock]
start = "2027-04-12T06:00:00Z"
rate = 60
[terms]
escalation_s = [10, 20]
comm_checks = ["06:30"]
check_reply_s = 90
[terms.receipt_deadlines_s]
disseminated = 60
[[steps]]
at_s = 0
party = "north"
do = "file"
notice = "A-1"
activity = "patrol"
start = "+00:25:00"
end = "+01:25:00"
lower = { value = 0, unit = "ft", datum = "MSL" }
upper = { value = 250, unit = "FL", datum = "STD" }
[[steps.pieces]]
circle = [[31.5, 33.5]]
radius_nm = 5
"""
ACT = {
    "read-back": 'party = "south"\nnotice = "A-1"\ncircle = [[31.5, 33.5]]\nstart = "+00:25:00"\nend = "+01:25:00"\nexpect = "agrees"\ntext = "as North said"\n',
    "disseminate": 'party = "south"\nnotice = "A-1"\nnamed = ["crew"]\nacknowledged = ["tower"]\n',
    "act": 'party = "south"\nnotice = "A-1"\naction = "noted"\nexpect_rule = "not-disseminated"\n',
    "cease": 'party = "south"\nname = "STOP"\nnotice = "A-1"\nreason = "North is too near"\n',
    "reply": 'party = "north"\nname = "STOP"\nreply = "effective"\ndesk = "general-staff"\n',
    "urgent": 'party = "south"\nname = "STOP"\nstatus = "effective"\nreceived_within_s = 5\nstep = 0\n',
    "emergency": 'party = "north"\nname = "DOWN"\nkind = "distress"\ncircle = [[31.5, 33.5]]\n',
    "message": 'party = "north"\nname = "ASK"\nprecedence = "flash"\nphrase = "p.q"\nshown_in = "ru"\n[steps.slots]\nnumber = 3\nplace = [31.5, 33.5]\ntime-2 = "+00:05:00"\n',
    "answer": 'party = "south"\nname = "ASK"\nanswer = "wilco"\n',
    "call": 'party = "south"\nname = "CALL"\nline = "safety"\nstart = "+00:01:00"\nend = "+00:02:00"\nanswered_after_s = 3\ntext = "South called"\n',
    "agree-call": 'party = "north"\nname = "CALL"\nagrees = true\n',
    "suspend": 'party = "north"\nscope = "all"\ntext = "by order"\n',
    "fault": 'party = "north"\nscope = "talk"\ntext = "a cable"\n',
    "resume": 'party = "north"\nscope = "all"\ntext = "by order"\n',
    "check": 'party = "north"\n',
    "line": 'party = "north"\nword = "silent-suspended"\nmissed = 2\n',
    "roster": 'party = "north"\nlanguages = ["en"]\nstart = "+00:00:00"\nend = "+08:00:00"\n',
    "handover": 'party = "north"\nto = "relief"\nsound_tested = true\n',
    "away": 'party = "north"\n',
    "back": 'party = "north"\n',
    "go-silent": 'party = "north"\n',
    "come-back": 'party = "north"\n',
    "ladder": 'party = "south"\nnotice = "A-1"\nno_answer = ["disseminated"]\n[steps.rungs]\ndisseminated = "missing"\n',
    "alarm": 'party = "south"\nkind = "cease"\nabout = "STOP"\nat = "both"\n',
    "advice": 'party = "south"\nnotice = "A-1"\noffers = ["own/up", "both/peer-later"]\n',
    "propose": 'party = "south"\nname = "CLIMB"\nnotice = "A-1"\noption = "own/up"\ntext = "South can climb"\n',
    "answer-proposal": 'party = "north"\nname = "CLIMB"\nanswer = "counter"\noption = "peer/later"\nas = "WAIT"\n',
    "keep": 'party = "south"\nname = "CLIMB"\n',
    "clearance": 'party = "south"\nnotice = "A-1"\nexpect = "not-enough"\n',
}


ANSWERED = 'party = "north"\nname = "CLIMB"\nanswer = "accept"\n'


def step(do: str, body: str = "") -> str:
    """One step of a script."""
    return f'[[steps]]\nat_s = 1\ndo = "{do}"\n{body or ACT[do]}'


def parsed(*steps: str) -> Script:
    """A script with these steps after the filing."""
    return parse_script((HEAD + "".join(steps)).encode())


def test_every_act_is_parsed_and_mirrored_twice_is_itself() -> None:
    """Each act of the language is a step; exchanging the parties twice gives the script back, once every party changes."""
    assert set(ACT) == set(ACTS)
    script = parsed(*(step(do) for do in ACT))
    acts = script.steps[1:]
    assert all(isinstance(one, Acted | Looked) for one in acts)
    swapped = swap_parties(script)
    assert swap_parties(swapped) == script
    assert all(a.party != b.party for a, b in zip(acts, swapped.steps[1:], strict=True))
    read_back, cease = swapped.steps[1], swapped.steps[4]
    assert isinstance(read_back, ReadBack)
    assert isinstance(cease, Cease)
    assert (read_back.text, cease.reason) == ("as South said", "South is too near")
    advice = next(one for one in acts if isinstance(one, Advised))
    assert advice.offers == next(one for one in swapped.steps if isinstance(one, Advised)).offers


def test_option_of_a_script_means_whoever_acts() -> None:
    """C-20: `own` and `peer` are the parties as the one that acts has them."""
    assert option_key("own/up", "north", "south") == "north/up"
    assert option_key("peer/down", "south", "north") == "north/down"
    assert option_key("both/own-later", "south", "north") == "both/south-later"


def test_act_terms_reach_the_agreement() -> None:
    """Steps up, checks and deadlines of a script are those that its parties sign; the rest stay the defaults."""
    terms = agreement_terms(parsed(), 0)
    assert (terms.escalation_s, terms.comm_checks, terms.check_reply_s) == ([10, 20], ["06:30"], 90)
    assert terms.receipt_deadlines_s == {"opened": 300, "read-back": 900, "disseminated": 60}


@pytest.mark.parametrize(
    ("steps", "field"),
    [
        ((step("read-back", ACT["read-back"].replace("south", "north")),), "notice"),
        ((step("read-back", ACT["read-back"].replace("agrees", "fits")),), "expect"),
        ((step("read-back", ACT["read-back"].replace("A-1", "A-2")),), "notice"),
        ((step("read-back", ACT["read-back"].replace("circle", "polygon")),), "polygon"),
        ((step("disseminate", 'party = "south"\nnotice = "A-1"\n'),), "told"),
        ((step("disseminate", ACT["disseminate"].replace("tower", "crew")),), "told"),
        ((step("act", ACT["act"].replace("noted", "obeyed")),), "action"),
        ((step("cease", 'party = "south"\nname = "STOP"\n'),), "reason"),
        ((step("cease"), step("cease")), "name"),
        ((step("reply"),), "name"),
        ((step("cease"), step("reply", ACT["reply"].replace("north", "south"))), "name"),
        ((step("cease"), step("reply", ACT["reply"].replace("effective", "heard"))), "reply"),
        ((step("emergency", ACT["emergency"].replace("distress", "panic")),), "kind"),
        ((step("answer"),), "name"),
        ((step("message", ACT["message"].replace("phrase", "text = 'x'\nphrase")),), "text"),
        ((step("message", ACT["message"].replace("= 3", "= 3.5")),), "slots.number"),
        ((step("message", ACT["message"].replace("33.5]", "93.5]")),), "slots.place"),
        ((step("call"), step("agree-call", ACT["agree-call"].replace("north", "south"))), "name"),
        ((step("suspend", 'party = "north"\nscope = "half"\ntext = "x"\n'),), "scope"),
        ((step("line", ACT["line"].replace("silent-suspended", "quiet")),), "word"),
        ((step("roster", ACT["roster"].replace('["en"]', "[]")),), "languages"),
        ((step("ladder", ACT["ladder"].replace("missing", "red")),), "rungs.disseminated"),
        ((step("alarm"),), "about"),
        ((step("clearance", ACT["clearance"].replace("not-enough", "maybe")),), "expect"),
        ((step("advice", ACT["advice"].replace("own/up", "north/up")),), "offers"),
        ((step("advice", ACT["advice"].replace("A-1", "A-2")),), "notice"),
        ((step("advice", ACT["advice"] + 'desk = "general-staff"\n'),), "desk"),
        ((step("propose", ACT["propose"].replace("own/up", "up")),), "option"),
        ((step("propose"), step("propose")), "name"),
        ((step("answer-proposal"),), "name"),
        ((step("propose"), step("answer-proposal", ANSWERED.replace("north", "south"))), "name"),
        ((step("propose"), step("answer-proposal", ANSWERED.replace("accept", "agree"))), "answer"),
        ((step("propose"), step("answer-proposal", ANSWERED + 'option = "own/up"\n')), "option"),
        (
            (
                step("propose"),
                step("answer-proposal", ACT["answer-proposal"].replace("WAIT", "CLIMB")),
            ),
            "as",
        ),
        ((step("keep"),), "name"),
        ((step("back"),), "do"),
        ((step("away"), step("away")), "do"),
        ((step("go-silent"), step("suspend")), "party"),
        ((step("go-silent"), step("line")), "party"),
        ((step("go-silent"), step("go-silent")), "do"),
        ((step("act", ACT["act"].replace("south", "meridian")),), "party"),
        ((step("handover", 'party = "north"\nto = "relief"\n'),), "sound_tested"),
        ((step("away", 'party = "north"\nreason = "x"\n'),), "reason"),
    ],
)
def test_act_wrong_field_is_named(steps: tuple[str, ...], field: str) -> None:
    """C-16, C-17, C-20: A wrong field of an act is refused by its path, with the rule."""
    with pytest.raises(UsageError) as caught:
        parsed(*steps)
    assert caught.value.field == f"steps[{len(steps)}].{field}"
    assert "must be" in caught.value.message


def test_act_at_a_desk_that_is_away_is_refused_until_somebody_is_back() -> None:
    """C-17: Nobody acts from a desk that nobody mans; another desk of the party may, and the same one afterwards."""
    reply = ACT["reply"]
    usual = reply.replace('desk = "general-staff"\n', "")
    parsed(step("cease"), step("away"), step("reply"), step("back"), step("reply", usual))
    with pytest.raises(UsageError) as caught:
        parsed(step("cease"), step("away"), step("reply", usual))
    assert caught.value.field == "steps[3].desk"


def test_act_in_a_loop_is_refused() -> None:
    """What is asked or said has a name of its own, so it cannot be repeated."""
    with pytest.raises(UsageError) as caught:
        parsed('[loop]\nevery_s = 10\n[[loop.steps]]\nat_s = 1\ndo = "away"\nparty = "north"\n')
    assert caught.value.field == "loop.steps[0].do"


# -- the plays that this package ships --------------------------------------------------------------------


def looks(name: str, kind: type) -> list[object]:
    """The expectations of a shipped play, of one kind."""
    return [one for one in shipped(name).steps if isinstance(one, kind)]


@pytest.mark.parametrize(
    "name", ["deir-ez-zor-2016", "kunduz-2015", "korea-lines", "il20-2018-heard"]
)
def test_heard_play_shows_the_record_and_lists_what_it_assumes(name: str) -> None:
    """Each of these plays stands beside a public record, says what it assumes and what it would not have prevented."""
    script = shipped(name)
    assert script.timeline
    assert script.content_note
    assert script.assumptions
    said = [one.text for one in script.steps if one.party == "" and hasattr(one, "text")]
    assert any(text.startswith("What this does not do:") for text in said)
    assert set(SHIPPED) >= {name}


def test_deir_ez_zor_play_expects_the_metres_and_the_five_seconds() -> None:
    """The wrong place must differ, on both sides; the request is received within 5 s while the usual desk is away."""
    steps = shipped("deir-ez-zor-2016").steps
    first = next(one for one in steps if isinstance(one, ReadBack))
    assert first.expect == "differs"
    alarms = [one for one in steps if isinstance(one, Alarm)]
    assert (alarms[0].kind, alarms[0].at) == ("read-back", "both")
    away = next(at for at, one in enumerate(steps) if isinstance(one, Presence))
    reached = [one for one in steps[away:] if isinstance(one, Urgent)]
    assert reached[0].received_within_s == 5
    assert (reached[1].step, reached[1].called) == (1, "general-staff")


def test_kunduz_play_expects_missing_on_both_sides_and_the_refusal() -> None:
    """Dissemination is missing with a signed no-answer, and acting on it is refused before and after."""
    ladders = looks("kunduz-2015", Ladder)
    states = [dict(one.rungs)["disseminated"] for one in ladders if isinstance(one, Ladder)]
    assert states == ["due", "missing", "late"]
    rules = [getattr(one, "expect_rule", "") for one in shipped("kunduz-2015").steps]
    assert rules.count("not-disseminated") == 2


def test_korea_play_expects_two_words_for_two_silences() -> None:
    """Silence without a word and a declared suspension have different names, in this order."""
    words = [one.word for one in looks("korea-lines", Line) if isinstance(one, Line)]
    assert words == [
        "open", "silent", "open", "open", "open-suspended", "open-suspended",
        "silent-suspended", "open", "open-fault",
    ]  # fmt: skip


def test_messages_of_plays_carry_a_text_or_a_phrase() -> None:
    """No message of a shipped play is empty or both."""
    for name in SHIPPED:
        for one in looks(name, Message):
            assert isinstance(one, Message)
            assert bool(one.text) != bool(one.phrase)
