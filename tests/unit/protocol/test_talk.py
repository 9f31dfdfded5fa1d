"""Conversation: messages and their answers, two officers for the leaders, call records; the same on both sides."""

from __future__ import annotations

from typing import Any

import pytest

from detente.agreement.terms import Terms
from detente.errors import DetenteError, RefusedError, UsageError
from detente.hotline.talk import ANSWER_MOVES, ANSWERS, CALL_MOVES
from detente.node.phrases import phrasebook
from detente.protocol import conversation, linestate, views
from detente.protocol.conversation import Spoken, TalkDetail
from detente.protocol.deadlines import pass_deadlines
from detente.protocol.statement import Thread
from detente.protocol.talk import talk_key
from detente.simulation.node import SimNode, converse
from detente.simulation.room import Room
from detente.units import US_PER_S, format_time

BOOK = phrasebook()
Two = tuple[Room, SimNode, SimNode]
TEXT = {
    "desk": "operations-cell",
    "language": "en",
    "precedence": "flash",
    "text": "Where are you?",
}
PHRASE = {
    "desk": "operations-cell",
    "language": "ru",
    "precedence": "urgent",
    "phrase": "traffic.aircraft-at",
    "slots": {
        "altitude": {"tenth_mm": 304_800 * 150, "unit": "FL", "datum": "STD"},
        "callsign": "CEDAR 12",
        "place": {"lat": 12_500_000_000, "lon": -35_800_000_000},
        "time": "2018-09-17T12:00:00Z",
    },
}


@pytest.fixture
def two() -> Two:
    """North and south on an open line."""
    room = Room()
    north, south = room.nodes()
    talk(room, north, south)
    return room, north, south


def talk(room: Room, *nodes: SimNode) -> None:
    """Exchange until nothing is under way."""
    for _ in range(3):
        for i, one in enumerate(nodes):
            for other in nodes[i + 1 :]:
                converse(one, other)
        room.wait(3)


def say(
    node: SimNode,
    values: dict[str, Any] = TEXT,
    thread: Thread | None = None,
    *to: str,
    officer: str = "ada",
    desk: str = "operations-cell",
    exercise: bool = True,
) -> Spoken:
    """Say a message."""
    return node.run(
        lambda core: conversation.say_message(
            core,
            values,
            thread,
            to,
            node.now_us(),
            book=BOOK,
            officer=officer,
            desk=desk,
            exercise=exercise,
        )
    )


def answer(node: SimNode, message: str, said: str, text: str | None = None) -> Spoken:
    """Answer a message."""
    return node.run(
        lambda core: conversation.answer_message(
            core, message, said, text, node.now_us(), officer="bob", desk="operations-cell"
        )
    )


def detail(node: SimNode, key: str, language: str = "en") -> TalkDetail:
    """A thread as read here."""
    core = node.running
    thread = conversation.find_thread(core, key)
    return conversation.talk_detail(core, thread, node.now_us(), book=BOOK, language=language)


def only(node: SimNode) -> str:
    """The only message there is."""
    (message,) = node.running.state.talk.messages
    return message


def refused(node: SimNode, act: Any) -> str:
    """The rule by which something is refused; nothing was written."""
    size = node.running.tree.size
    with pytest.raises(DetenteError) as caught:
        act()
    assert node.running.tree.size == size
    return caught.value.code


def check_rebuilt(*nodes: SimNode) -> None:
    """Folding the ledger again gives the same state."""
    for node in nodes:
        assert views.projection(node.load()) == views.projection(node.running)


# -- messages ------------------------------------------------------------------------------------


def test_message_is_the_same_on_both_sides(two: Two) -> None:
    """A message goes from a desk to a desk, is delivered, and both sides hold the same of it."""
    room, north, south = two
    spoken = say(north)
    assert spoken.to == ["south"]
    assert spoken.signed == ["south"]
    talk(room, north, south)
    sides = [detail(node, spoken.thread).messages for node in (north, south)]
    assert len(sides[0]) == 1
    assert {row.statement for (row,) in sides} == {only(north)}
    for field in ("party", "to", "from_desk", "desk", "precedence", "original", "received", "due"):
        assert getattr(sides[0][0], field) == getattr(sides[1][0], field), field
    assert sides[1][0].original is not None
    assert sides[1][0].original.text == "Where are you?"
    assert south.alerts["message"] == 1
    check_rebuilt(north, south)


def test_message_names_no_person(two: Two) -> None:
    """H-CEA-1 and the envelope: who sat at the desk stays in that party's own record."""
    room, north, south = two
    say(north, officer="ada-lovelace")
    talk(room, north, south)
    for entry, _, statement, openings in south.running.journal.replay():
        kept = f"{entry.local}{statement}{openings}"
        assert "ada-lovelace" not in kept
    assert any(
        entry.local and entry.local.get("officer") == "ada-lovelace"
        for entry, _, _, _ in north.running.journal.replay()
    )


def test_phrase_is_read_by_each_side_in_its_own_language(two: Two) -> None:
    """H-TAL-1: A message carries text in one language, or a phrase of the phrasebook with typed slots; a phrase travels as its id and slots, is rendered by each side in its own language, and the original stands beside it."""
    room, north, south = two
    spoken = say(north, PHRASE)
    talk(room, north, south)
    found = south.running.journal.statement(only(south))
    assert found is not None
    assert found[1]["phrase"][1] == "traffic.aircraft-at"
    assert found[1]["slots"][1] == PHRASE["slots"]
    assert not any("CEDAR 12 is at" in str(value) for _, value in found[1].values())
    (row,) = detail(south, spoken.thread, "he").messages
    assert row.shown is not None
    assert row.original is not None
    assert (row.shown.language, row.shown.direction, row.review) == ("he", "rtl", "draft")
    assert "כלי הטיס שלנו" in row.shown.text
    assert (row.original.language, row.original.direction) == ("ru", "ltr")
    assert row.original.text.startswith("Наш борт CEDAR 12")


def test_free_text_in_another_language_is_shown_as_it_was_said(two: Two) -> None:
    """H-TAL-1: Nobody translates free words: the original stands alone, in its own direction."""
    room, north, south = two
    spoken = say(north, {**TEXT, "language": "ar", "text": "أين أنتم؟", "translator": "desk 2"})
    talk(room, north, south)
    (row,) = detail(south, spoken.thread).messages
    assert row.shown is None
    assert row.original is not None
    assert (row.original.direction, row.original.text, row.translator) == (
        "rtl",
        "أين أنتم؟",
        "desk 2",
    )


def test_phrase_of_a_newer_book_is_taken_and_shown_by_its_id(two: Two) -> None:
    """H-TAL-7: an id that the receiver's book lacks is taken, and shown with its slots."""
    room, north, south = two
    north.run(
        lambda core: core.say(
            "talk/message",
            {**PHRASE, "phrase": "traffic.brand-new"},
            ["south"],
            north.now_us(),
            officer="ada",
            desk="operations-cell",
            exercise=True,
            thread=Thread("north:T-new", "talk", 1),
        )
    )
    talk(room, north, south)
    (row,) = detail(south, "north:T-new").messages
    assert (row.shown, row.original, row.phrase) == (None, None, "traffic.brand-new")
    assert row.slots == PHRASE["slots"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"precedence": "now"}, "value-wrong"),
        ({"language": "English"}, "value-wrong"),
        ({"desk": ""}, "value-wrong"),
        ({"text": "a\u202eb"}, "text-malformed"),
        ({"text": ""}, "text-malformed"),
        ({"translator": "x" * 65}, "text-malformed"),
        ({"slots": {}}, "message-malformed"),
        ({"phrase": "courtesy.thanks"}, "message-malformed"),
        ({"urgent": True}, "field-unknown"),
    ],
)
def test_message_that_breaks_a_rule_is_refused_before_it_is_said(
    two: Two, change: dict[str, Any], code: str
) -> None:
    """H-TAL-1: text or phrase and never both, and each value as its rule says; nothing is written."""
    _, north, _ = two
    assert refused(north, lambda: say(north, {**TEXT, **change})) == code


@pytest.mark.parametrize(
    ("kind", "id_", "version"),
    [
        ("talk", "nobody:T-1", 1),
        ("talk", "north", 1),
        ("talk", "north:T-1", 2),
        ("talk", "north:../x", 1),
        ("conflict", "abc", 1),
        ("cease", "north:C-1", 1),
        ("line", "north|south", 1),
    ],
)
def test_thread_that_is_none_is_refused(two: Two, kind: str, id_: str, version: int) -> None:
    """A thread is named by its kind, and each kind has one form of id."""
    _, north, _ = two
    thread = Thread(id_, kind, version)
    assert refused(north, lambda: say(north, TEXT, thread, "south")) == "thread-wrong"


def test_talk_and_notice_of_one_name_are_two_threads(two: Two) -> None:
    """H-TAL-6: kind and id together name a thread: a talk that is called like a notice says nothing of the notice."""
    room, north, south = two
    thread = Thread("north:A-1", "talk", 1)
    say(north, TEXT, thread)
    say(north, TEXT, Thread("north:A-1", "notice", 3), "south")
    talk(room, north, south)
    assert set(south.running.state.talk.threads) == {"talk:north:A-1", "notice:north:A-1"}
    assert south.running.state.notices == {}
    assert views.notice_rows(north.running, north.now_us()) == []


def test_message_before_the_line_is_open_waits_and_is_no_notice() -> None:
    """What is said on a cold line waits unsigned, in its thread; no list of notices shows it."""
    room = Room()
    north, south = room.nodes()
    spoken = say(north, TEXT, Thread("north:A-1", "notice", 1), "south")
    assert spoken.signed == []
    assert views.notice_rows(north.running, north.now_us()) == []
    (row,) = detail(north, spoken.thread).waiting
    assert (row.said, row.waiting) == ("talk/message", ["south"])
    talk(room, north, south)
    assert detail(north, spoken.thread).waiting == []
    assert len(detail(south, spoken.thread).messages) == 1


def test_exercise_does_not_change_within_a_thread(two: Two) -> None:
    """A thread that began as an exercise stays one, also for who answers in it."""
    room, north, south = two
    spoken = say(north, exercise=True)
    talk(room, north, south)
    thread = conversation.find_thread(south.running, spoken.thread)
    say(south, TEXT, thread, exercise=False)
    talk(room, north, south)
    assert [t.exercise for t in north.running.state.talk.threads.values()] == [True]

    def real() -> None:
        south.run(
            lambda core: core.say(
                "talk/message",
                TEXT,
                ["north"],
                south.now_us(),
                officer="b",
                desk="x",
                exercise=False,
                thread=thread,
            )
        )

    assert refused(south, real) == "exercise-flip"


def test_three_parties_talk_in_one_thread_whatever_arrives_first() -> None:
    """H-TAL-6: with three parties a reply may overtake what it replies to, and is taken all the same."""
    room = Room(3)
    north, south, east = room.nodes()
    for pair in ((north, south), (north, east), (south, east)):
        converse(*pair)
    spoken = say(north)
    converse(north, south)
    thread = conversation.find_thread(south.running, spoken.thread)
    say(south, TEXT, thread, "north", "east")
    converse(south, east)
    assert [row.party for row in detail(east, spoken.thread).messages] == ["south"]
    talk(room, north, south, east)
    assert {row.party for row in detail(east, spoken.thread).messages} == {"north", "south"}
    check_rebuilt(north, south, east)


# -- answers -------------------------------------------------------------------------------------


def test_answer_is_due_by_precedence_after_the_receipt(two: Two) -> None:
    """H-TAL-2: Precedence gives the deadline of the answer."""
    room, north, south = two
    say(north)
    room.wait(7)
    talk(room, north, south)
    for node in (north, south):
        message = node.running.state.talk.messages[only(node)]
        assert message.received_us is not None
        assert message.due_us == message.received_us + 60 * US_PER_S
        (owed,) = node.running.state.owed.values()
        assert (owed.expected, owed.by, owed.to) == ("answer", "south", "north")
        assert owed.due_us == message.due_us


@pytest.mark.parametrize("said", ANSWERS)
def test_answer_arrives_on_the_other_side(two: Two, said: str) -> None:
    """H-TAL-2: Answers: affirm, negative, wilco, unable, standby; both sides hold the same."""
    room, north, south = two
    spoken = say(north)
    talk(room, north, south)
    answer(south, only(south), said, "a word")
    talk(room, north, south)
    for node in (north, south):
        (row,) = detail(node, spoken.thread).messages
        assert row.state == said
        assert [(one.party, one.answer, one.text, one.late) for one in row.answers] == [
            ("south", said, "a word", False)
        ]
        assert bool(node.running.state.owed) == (said == "standby")
    check_rebuilt(north, south)


def test_standby_extends_the_deadline_once_by_its_own_length(two: Two) -> None:
    """H-TAL-2: standby extends the deadline once by its own length."""
    room, north, south = two
    say(north)
    talk(room, north, south)
    answer(south, only(south), "standby")
    talk(room, north, south)
    for node in (north, south):
        message = node.running.state.talk.messages[only(node)]
        assert message.received_us is not None
        assert message.due_us == message.received_us + 120 * US_PER_S
    assert refused(south, lambda: answer(south, only(south), "standby")) == "answer-out-of-turn"


def test_answer_that_does_not_come_is_written_down_by_both(two: Two) -> None:
    """H-DUE-2: The deadline of a message passes on both sides, and who asked signs that no answer came."""
    room, north, south = two
    spoken = say(north)
    talk(room, north, south)
    room.wait(61)
    for node in (north, south):
        node.run(lambda core, node=node: (None, pass_deadlines(core, node.now_us())))
    talk(room, north, south)
    for node in (north, south):
        (passed,) = node.running.state.passed.values()
        assert (passed.expected, passed.by, passed.local) == ("answer", "south", True)
        assert passed.told is not None
        (row,) = detail(node, spoken.thread).messages
        assert row.unanswered
    answer(south, only(south), "wilco")
    talk(room, north, south)
    (row,) = detail(north, spoken.thread).messages
    assert [(one.answer, one.late) for one in row.answers] == [("wilco", True)]
    assert not row.unanswered
    check_rebuilt(north, south)


def test_standby_and_the_word_that_no_answer_came_may_cross(two: Two) -> None:
    """A standby said just before the time passes elsewhere is taken by both sides, and nothing is refused."""
    room, north, south = two
    say(north)
    talk(room, north, south)
    room.wait(59.5)
    answer(south, only(south), "standby")
    room.wait(1)
    north.run(lambda core: (None, pass_deadlines(core, north.now_us())))
    talk(room, north, south)
    for node in (north, south):
        assert node.running.state.talk.messages[only(node)].state == "standby"
        assert not [one for one in node.running.state.raised.values() if one.kind == "refused"]
        assert [one.expected for one in node.running.state.owed.values()] == [
            "answer-after-standby"
        ]
    check_rebuilt(north, south)


def test_answer_table_is_kept_by_both_sides(two: Two) -> None:
    """Every move of the table is taken and every other is refused by name, before it is said."""
    room, north, south = two
    for first in ANSWERS:
        for second in ANSWERS:
            say(north)
            talk(room, north, south)
            message = next(reversed(south.running.state.talk.messages))
            answer(south, message, first)
            if (first, second) in ANSWER_MOVES:
                answer(south, message, second)
                talk(room, north, south)
                state = north.running.state.talk.messages[message].state
                assert state == ANSWER_MOVES[first, second]  # type: ignore[index]
            else:
                code = refused(south, lambda m=message, s=second: answer(south, m, s))
                assert code == "answer-out-of-turn"
    assert not [one for one in south.running.state.raised.values() if one.kind == "refused"]


def test_who_said_a_message_cannot_answer_it(two: Two) -> None:
    """Only who it was said to answers; an unknown message is named as such."""
    room, north, south = two
    say(north)
    talk(room, north, south)
    assert refused(north, lambda: answer(north, only(north), "affirm")) == "answer-wrong"
    assert refused(south, lambda: answer(south, "ab" * 32, "affirm")) == "message-unknown"
    assert refused(south, lambda: answer(south, only(south), "maybe")) == "value-wrong"
    assert refused(south, lambda: answer(south, only(south)[:5], "affirm")) == "message-unknown"
    answer(south, only(south)[:8], "affirm")


def test_answer_of_a_liar_to_anothers_message_is_refused() -> None:
    """A party cannot answer for another: the answer is in the record, and refused by name."""
    room = Room(3)
    north, south, east = room.nodes()
    for pair in ((north, south), (north, east), (south, east)):
        converse(*pair)
    say(north, TEXT, None, "south")
    talk(room, north, south, east)
    message = only(north)

    def lie(core: Any) -> Any:
        core._judge_own = lambda *_args, **_more: None
        core._clashes = lambda *_args: False
        return core.say(
            "talk/answer",
            {"answer": "affirm", "message": message},
            ["north"],
            east.now_us(),
            officer="e",
            desk="x",
            exercise=True,
            thread=Thread("north:T-1", "talk", 1),
        )

    east.run(lie)
    talk(room, north, south, east)
    assert [one.code for one in east.running.state.raised.values()] == ["answer-wrong"]
    assert north.running.state.talk.messages[message].answers == []


def test_second_answer_waits_for_the_first_to_be_signed(two: Two) -> None:
    """Two answers on a line that is down would contradict each other: the second is refused at home."""
    room, north, south = two
    say(north)
    talk(room, north, south)
    south.crash()
    south.start()
    answer(south, only(south), "affirm")
    assert refused(south, lambda: answer(south, only(south), "affirm")) == "answer-waits"
    talk(room, north, south)
    assert north.running.state.talk.messages[only(north)].state == "affirm"


def test_message_is_reported_as_opened_once(two: Two) -> None:
    """A message that was in front of an officer has its receipt, once."""
    room, north, south = two
    spoken = say(north)
    talk(room, north, south)
    for _ in range(2):
        south.run(
            lambda core: (
                None,
                conversation.open_talk(
                    core, spoken.thread, south.now_us(), officer="bob", desk="operations-cell"
                ),
            )
        )
        talk(room, north, south)
    (row,) = detail(north, spoken.thread).messages
    assert row.opened is not None
    opened = [
        entry
        for entry, _, _, _ in north.running.journal.replay()
        if entry.header.type == "receipt/opened"
    ]
    assert len(opened) == 1
    check_rebuilt(north, south)


# -- leaders -------------------------------------------------------------------------------------


def release(node: SimNode, number: int, officer: str, desk: str = "leaders") -> Spoken:
    """Release a draft."""
    return node.run(
        lambda core: conversation.release_draft(
            core, number, node.now_us(), officer=officer, desk=desk
        )
    )


def test_message_of_the_leaders_needs_two_officers(two: Two) -> None:
    """H-TAL-3: A message of the desk leaders MUST name two officers in its local entry (talk/released), of whom the second released it; one officer cannot be both (two-officers)."""
    room, north, south = two
    spoken = say(north, officer="ada", desk="leaders")
    assert spoken.draft is not None
    assert spoken.signed == []
    talk(room, north, south)
    assert south.running.state.talk.messages == {}
    assert refused(north, lambda: release(north, spoken.draft or 0, "ada")) == "two-officers"
    code = refused(north, lambda: release(north, spoken.draft or 0, "eve", "operations-cell"))
    assert code == "two-officers"
    check_rebuilt(north)
    release(north, spoken.draft, "eve")
    talk(room, north, south)
    (row,) = detail(south, spoken.thread).messages
    assert (row.from_desk, row.party) == ("leaders", "north")
    (local,) = [
        entry.local
        for entry, _, _, _ in north.running.journal.replay()
        if entry.local and entry.local["type"] == "talk/released"
    ]
    assert (local["drafted_by"], local["officer"]) == ("ada", "eve")
    assert refused(north, lambda: release(north, spoken.draft or 0, "eve")) == "draft-unknown"
    check_rebuilt(north, south)


def test_draft_that_breaks_a_rule_is_refused_when_it_is_written(two: Two) -> None:
    """The second officer gets nothing to release that could not be said."""
    _, north, _ = two
    bad = {**TEXT, "precedence": "now"}
    assert refused(north, lambda: say(north, bad, desk="leaders")) == "value-wrong"


def test_draft_given_up_is_never_said(two: Two) -> None:
    """A discarded draft is gone, and the record says who gave it up."""
    room, north, south = two
    spoken = say(north, desk="leaders")
    north.run(
        lambda core: conversation.discard_draft(
            core, spoken.draft or 0, north.now_us(), officer="eve", desk="leaders"
        )
    )
    assert refused(north, lambda: release(north, spoken.draft or 0, "eve")) == "draft-unknown"
    talk(room, north, south)
    assert south.running.state.talk.messages == {}


def test_suspended_talk_refuses_our_own_words_of_every_kind_before_signing(two: Two) -> None:
    """H-LIN-2: messages, drafts, releases, answers and call records; what the other side says is taken."""
    room, north, south = two
    say(south)
    draft = say(north, desk="leaders").draft or 0
    call(south)
    talk(room, north, south)
    north.run(
        lambda core: linestate.declare(
            *(core, "south", "suspended", "talk", "no interpreter", north.now_us()),
            officer="ada",
            desk="operations-cell",
        )
    )
    # south has not heard of it: what it says meanwhile is taken all the same
    said = len(north.running.state.talk.messages)
    say(south)
    talk(room, north, south)
    assert len(north.running.state.talk.messages) == said + 1
    acts: list[Any] = [
        lambda: say(north),
        lambda: say(north, PHRASE),
        lambda: say(north, desk="leaders"),
        lambda: release(north, draft, "bo"),
        lambda: answer(north, next(iter(north.running.state.talk.messages)), "wilco"),
        lambda: call(north),
        lambda: agree(north),
    ]
    assert [refused(north, act) for act in acts] == ["line-suspended"] * len(acts)
    assert refused(south, lambda: say(south)) == "line-suspended"  # by either party's word


# -- calls ---------------------------------------------------------------------------------------


def call(node: SimNode, thread: Thread | None = None, **change: Any) -> Spoken:
    """Record a call."""
    now_us = node.now_us()
    values = {
        "line": "safety",
        "desk": "operations-cell",
        "began": format_time(now_us - 120 * US_PER_S),
        "ended": format_time(now_us),
        "answered_after_s": 20,
        "held_s": 60,
        "language": "en",
        "summary": "They will keep clear.",
        **change,
    }
    return node.run(
        lambda core: conversation.record_call(
            core, values, thread, [], now_us, officer="ada", desk="operations-cell", exercise=True
        )
    )


def agree(node: SimNode, agrees: bool = True) -> Spoken:
    """Sign whether the only call record is right."""
    (id_,) = node.running.state.talk.calls
    return node.run(
        lambda core: conversation.agree_call(
            core, id_, agrees, None, node.now_us(), officer="bob", desk="operations-cell"
        )
    )


def test_call_record_is_a_claim_until_both_have_signed_it(two: Two) -> None:
    """H-TAL-4: A call record counts as agreed when both parties have signed the same record; until then it is shown as one party's claim."""
    room, north, south = two
    call(north, interpreter="desk 4")
    talk(room, north, south)
    for node in (north, south):
        (row,) = conversation.call_rows(node.running)
        assert (row.state, row.party, row.held_s, row.interpreter) == (
            "claimed",
            "north",
            60,
            "desk 4",
        )
    assert refused(north, lambda: agree(north)) == "answer-wrong"
    agree(south, False)
    talk(room, north, south)
    assert [row.state for row in conversation.call_rows(north.running)] == ["disputed"]
    agree(south)
    talk(room, north, south)
    for node in (north, south):
        (row,) = conversation.call_rows(node.running)
        assert row.state == "agreed"
        assert [(one.party, one.answer) for one in row.said] == [
            ("south", "disputes"),
            ("south", "agrees"),
        ]
    assert refused(south, lambda: agree(south, False)) == "call-out-of-turn"
    assert ("agreed", False) not in CALL_MOVES
    check_rebuilt(north, south)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ended": "2018-09-17T11:00:00Z"}, "call-times"),
        ({"held_s": 600}, "call-times"),
        ({"held_s": -1}, "value-wrong"),
        ({"answered_after_s": "soon"}, "value-wrong"),
        ({"began": "noon"}, "value-wrong"),
        ({"summary": ""}, "text-malformed"),
    ],
)
def test_call_record_that_cannot_be_is_refused(two: Two, change: dict[str, Any], code: str) -> None:
    """A call ends after it began and lasts at least as long as it rang and was held."""
    _, north, _ = two
    assert refused(north, lambda: call(north, **change)) == code


def test_call_that_nobody_answered_is_recorded(two: Two) -> None:
    """An unanswered call is a record too."""
    room, north, south = two
    call(north, answered_after_s=None, held_s=0)
    talk(room, north, south)
    assert [row.answered_after_s for row in conversation.call_rows(south.running)] == [None]


# -- lists ---------------------------------------------------------------------------------------


def test_threads_are_listed_with_what_is_owed(two: Two) -> None:
    """The list says of each thread which answers are owed by us and to us, and by when."""
    room, north, south = two
    first = say(north)
    talk(room, north, south)
    second = say(south, {**TEXT, "precedence": "routine"})
    talk(room, north, south)
    rows, _ = conversation.talk_rows(south.running, BOOK, "ru")
    assert [row.key for row in rows] == [second.thread, first.thread]
    assert [(row.owed, row.owed_to, row.due is not None) for row in rows] == [
        (0, 1, False),
        (1, 0, True),
    ]
    assert [(row.precedence, row.due_to is not None, row.last_party) for row in rows] == [
        (None, True, "south"),
        ("flash", False, "north"),
    ]
    assert [row.words and row.words.text for row in rows] == [TEXT["text"], TEXT["text"]]


def test_many_threads_come_page_by_page_and_what_is_owed_is_on_the_first(two: Two) -> None:
    """A year of talk is not one answer; what waits for an officer is never behind a button."""
    room, north, south = two
    keys = []
    for _ in range(7):
        keys.append(say(north, {**TEXT, "precedence": "routine"}).thread)
        talk(room, north, south)
        if len(keys) > 1:  # the first stays owed
            message = south.running.state.talk.threads[keys[-1]].messages[-1]
            south.run(
                lambda core, message=message: conversation.answer_message(
                    core, message, "affirm", None, south.now_us(), officer="o", desk="d"
                )
            )
    core = south.running
    first, after = conversation.talk_rows(core, BOOK, "en", None, 3)
    assert [row.key for row in first] == [*keys[:3:-1], keys[0]]
    assert first[-1].owed == 1
    second, last = conversation.talk_rows(core, BOOK, "en", after, 3)
    assert [row.key for row in second] == keys[3:0:-1]
    third, end = conversation.talk_rows(core, BOOK, "en", last, 3)
    assert [row.key for row in third] == [keys[0]]
    assert end is None


def test_list_has_the_last_words_in_the_readers_language(two: Two) -> None:
    """What was said last stands in the list: a phrase in the reader's language, the summary of a call as it was written."""
    room, north, south = two
    said = say(
        north,
        {
            "desk": "operations-cell",
            "precedence": "flash",
            "language": "en",
            "phrase": "courtesy.thanks",
        },
    )
    talk(room, north, south)
    ((row,), _) = conversation.talk_rows(south.running, BOOK, "ru")
    assert row.words is not None
    assert (row.words.text, row.words.language, row.precedence) == ("Благодарим.", "ru", "flash")
    call(south, thread=conversation.find_thread(south.running, said.thread), summary="It is over.")
    talk(room, north, south)
    ((row,), _) = conversation.talk_rows(south.running, BOOK, "ru")
    assert row.words is not None
    assert (row.words.text, row.words.language, row.last_party) == ("It is over.", "en", "south")


def test_thread_is_found_by_what_was_said_in_it(two: Two) -> None:
    """An alarm names a message; the message leads to its thread."""
    room, north, south = two
    said = say(north)
    talk(room, north, south)
    (statement,) = south.running.state.talk.messages
    assert talk_key(conversation.find_thread(south.running, statement)) == said.thread


def test_thread_is_found_by_its_name_of_any_kind(two: Two) -> None:
    """An officer names a thread as the list does, or by the bare id of what it is about."""
    room, north, south = two
    spoken = say(north)
    talk(room, north, south)
    name = spoken.thread.removeprefix("talk:")
    for node, wanted in ((north, name), (north, name.partition(":")[2]), (south, spoken.thread)):
        assert talk_key(conversation.find_thread(node.running, wanted)) == spoken.thread
    with pytest.raises(UsageError) as caught:
        conversation.find_thread(north.running, "T-nothing")
    assert caught.value.code == "thread-unknown"
    with pytest.raises(UsageError):
        detail(north, "talk:north:T-nothing")


def test_terms_without_a_precedence_give_the_longest_time(two: Two) -> None:
    """An agreement that leaves a precedence out gives its answer the longest time it has."""
    room = Room(terms=Terms(answer_deadlines_s={"routine": 500}))
    north, south = room.nodes()
    talk(room, north, south)
    say(north)
    talk(room, north, south)
    (owed,) = south.running.state.owed.values()
    message = south.running.state.talk.messages[only(south)]
    assert owed.due_us == (message.received_us or 0) + 500 * US_PER_S


def test_say_of_an_unknown_phrase_or_recipient_is_refused(two: Two) -> None:
    """Our own officers say only what is in the book, with all its slots, to parties of the agreement."""
    _, north, _ = two
    unknown = {**PHRASE, "phrase": "traffic.brand-new"}
    assert refused(north, lambda: say(north, unknown)) == "phrase-unknown"
    assert refused(north, lambda: say(north, {**PHRASE, "slots": {}})) == "slots-wrong"
    assert refused(north, lambda: say(north, TEXT, None, "nobody")) == "recipient-unknown"
    with pytest.raises(RefusedError):
        say(north, {**TEXT, "text": "\x00"})


def test_third_party_s_word_in_a_thread_binds_nobody_else() -> None:
    """Who guesses the name of a talk and says EXERCISE in it first keeps no two others from meaning it."""
    room = Room(3, terms=Terms())
    north, south, east = room.nodes()
    talk(room, north, south, east)
    thread = Thread("south:N-7", "notice", 1)
    say(east, TEXT, thread, "north", exercise=True)
    talk(room, north, south, east)
    say(south, TEXT, thread, "north", exercise=False)
    say(north, TEXT, thread, "south", exercise=False)
    talk(room, north, south, east)
    for node in (north, south, east):
        assert [
            one.kind for one in node.running.state.raised.values() if one.kind == "refused"
        ] == []
    assert len(north.running.state.talk.messages) == 3


def test_message_about_a_request_goes_to_who_was_asked_and_nobody_else() -> None:
    """Without recipients a message in the thread of one party's cease request reaches no third party."""
    room = Room(3)
    north, south, east = room.nodes()
    talk(room, north, south, east)
    north.run(
        lambda core: core.say(
            "hotline/cease",
            {"reason": "stop"},
            ["south"],
            north.now_us(),
            officer="o",
            desk="watch",
            exercise=True,
        )
    )
    talk(room, north, south, east)
    (asked,) = north.running.state.urgent.known
    said = say(north, TEXT, Thread(asked, "cease", 1))
    assert said.to == ["south"]
    talk(room, north, south, east)
    assert east.running.state.talk.messages == {}


def test_look_at_a_long_thread_says_a_bounded_number_opened(two: Two) -> None:
    """However many messages a thread holds, one look signs a few, the newest first, and the next look goes on."""
    room, north, south = two
    for _ in range(70):
        say(north, {**TEXT, "precedence": "routine"}, Thread("north:T-1", "talk", 1))
    for _ in range(3):
        talk(room, north, south)
    key = "talk:north:T-1"
    for left in (6, 0):
        south.run(
            lambda core: (
                None,
                conversation.open_talk(core, key, south.now_us(), officer="o", desk="d"),
            )
        )
        unopened = [
            id_
            for id_ in south.running.state.talk.messages
            if south.running.state.receipts[id_].opened_us is None
        ]
        assert len(unopened) == left
