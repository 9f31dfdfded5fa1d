"""Statements: commitments, ids, and the form of what a peer signs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.errors import PeerError, UsageError
from detente.protocol.statement import (
    Openings,
    Statement,
    Thread,
    body_digest,
    check_openings,
    commit_openings,
    draft_statement,
    encode_message,
    is_desk,
    link_name,
    open_fields,
    parse_message,
    parse_statement,
    sign_statement,
)
from detente.signing.envelope import Envelope, sign_envelope
from detente.signing.simulated import KeyedHashKeys

SIGNER = KeyedHashKeys(bytes(64))
OPENINGS = open_fields({"reason": "stop", "text": "now"}, bytes(32))
MEMBERS: dict[str, Any] = {
    "exercise": False,
    "agreement": "ab" * 32,
    "body": commit_openings(OPENINGS),
    "chain": "safety",
    "claimed_us": 1_537_209_540_000_000,
    "party": "north",
    "desk": "watch",
    "recipient": "south",
    "previous": None,
    "sequence": 1,
    "thread": None,
    "to": ["south"],
    "type_": "hotline/cease",
}


def say(**members: Any) -> Statement:
    """A signed statement."""
    return sign_statement(SIGNER, **{**MEMBERS, **members})


def test_sign_statement_reads_back_as_it_was_said() -> None:
    """What is signed and what is parsed are the same values."""
    statement = say(thread=Thread("north:A-1", "notice", 3), to=["un", "south"])
    assert statement == parse_statement(statement.envelope)
    assert statement.link == link_name("north", "south") == "north>south"
    assert statement.to == ("south", "un")
    assert statement.thread == Thread("north:A-1", "notice", 3)
    assert statement.claimed_us == MEMBERS["claimed_us"]


def test_statement_id_ignores_signatures_and_hears_every_member() -> None:
    """Two signings of one payload are one statement; another payload is another."""
    statement = say()
    draft = draft_statement(SIGNER, **MEMBERS)
    assert draft.id == statement.id
    assert draft.envelope.signatures != statement.envelope.signatures
    others = [
        say(exercise=True),
        say(desk="other"),
        say(claimed_us=0),
        say(recipient="un", to=["south", "un"]),
        say(sequence=2, previous=statement.id),
        say(withheld=["text"]),
    ]
    assert len({one.id for one in (statement, *others)}) == 7


def test_body_digest_is_the_same_for_every_recipient() -> None:
    """S-BODY-1: copies differ in link and number, and share one body digest."""
    copies = [say(recipient=party, to=["east", "south"]) for party in ("east", "south")]
    assert copies[0].id != copies[1].id
    assert copies[0].body_digest == copies[1].body_digest == body_digest(MEMBERS["body"])


def test_body_digest_of_two_filings_of_the_same_words_differs() -> None:
    """Salts are drawn for each filing, so a digest tells the filing and cannot be guessed."""
    one, other = (open_fields({"reason": "stop"}, bytes([n]) * 16) for n in range(2))
    assert body_digest(commit_openings(one)) != body_digest(commit_openings(other))


def test_open_fields_too_little_entropy_is_refused() -> None:
    """A salt is never shorter than it must be."""
    with pytest.raises(UsageError) as caught:
        open_fields({"a": 1, "b": 2}, bytes(31))
    assert caught.value.code == "entropy-short"


@given(
    st.dictionaries(
        st.text(alphabet="abc-", min_size=1).filter(lambda s: s[0] != "-"),
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
            max_leaves=6,
        ),
        max_size=4,
    )
)
def test_openings_of_any_values_hash_to_their_commitments(values: dict[str, Any]) -> None:
    """S-BODY-2: what was opened is what was committed to, and nothing else is."""
    openings = open_fields(values, bytes(range(16)) * len(values))
    statement = say(body=commit_openings(openings))
    assert check_openings(statement, openings) == openings
    for name in values:
        other = {**openings, name: [openings[name][0], [openings[name][1]]]}
        with pytest.raises(PeerError):
            check_openings(statement, other)


@pytest.mark.parametrize(
    "openings",
    [
        None,
        [],
        {},
        {"reason": OPENINGS["reason"]},
        {**OPENINGS, "more": OPENINGS["text"]},
        {**OPENINGS, "text": OPENINGS["reason"]},
        {**OPENINGS, "text": [5, "now"]},
        {**OPENINGS, "text": ["!", "now"]},
        {**OPENINGS, "text": [OPENINGS["text"][0]]},
    ],
)
def test_check_openings_any_others_are_the_peers_fault(openings: object) -> None:
    """S-BODY-2: neither fewer nor more nor other openings are taken."""
    with pytest.raises(PeerError):
        check_openings(say(), openings)


def test_check_openings_incomplete_is_allowed_only_on_request() -> None:
    """A bundle may withhold what a message may not."""
    part: Openings = {"reason": OPENINGS["reason"]}
    assert check_openings(say(), part, complete=False) == part
    assert check_openings(say(withheld=["text"]), part) == part


def test_message_reads_back_and_other_json_does_not() -> None:
    """S-SIG-2: envelope and openings travel as one canonical object."""
    statement = say()
    assert parse_message(encode_message(statement, OPENINGS)) == (statement, OPENINGS)
    for data in (b"{}", b'{"envelope":{},"openings":{},"x":1}', b" " + encode_message(say(), {})):
        with pytest.raises(PeerError):
            parse_message(data)


@pytest.mark.parametrize(
    "members",
    [
        {"type_": ""},
        {"type_": "x" * 65},
        {"desk": "a\nb"},
        {"thread": Thread("", "notice", 1)},
        {"thread": Thread("north:A", "", 1)},
        {"body": {"x" * 65: "y"}},
        {"to": [f"p{i}" for i in range(20)] + ["south"]},
        {"previous": "ab"},
        {"sequence": -1},
        {"to": ["un"]},
        {"recipient": "north", "to": ["north"]},
    ],
)
def test_parse_statement_form_of_the_header_is_kept(members: dict[str, Any]) -> None:
    """S-HEAD-1, S-HEAD-2, S-HEAD-4: a header past its form or limits is malformed."""
    with pytest.raises(PeerError) as caught:
        say(**members)
    assert caught.value.code == "statement-malformed"
    assert caught.value.evidence


def test_parse_statement_newer_types_and_kinds_are_well_formed() -> None:
    """S-HEAD-4: what only a newer version knows is a statement all the same."""
    statement = say(type_="inquiry/finding-2", thread=Thread("un:I-7", "incident", 1))
    assert statement.thread is not None
    assert statement.thread.kind == "incident"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"v":1', b'"v":2'),
        (b'"v":1', b'"v":true'),
        (b'"EXERCISE":false', b'"EXERCISE":0'),
        (b'"sequence":1', b'"sequence":"1"'),
        (b'"chain":"safety"', b'"chain":"urgent"'),
        (b'"claimed_time":"2018-09-17T18:39:00Z"', b'"claimed_time":"2018-09-17T18:39:00.0Z"'),
        (b'"claimed_time":"2018-09-17T18:39:00Z"', b'"claimed_time":"2018-02-30T00:00:00Z"'),
        (b'{"EXERCISE"', b'{ "EXERCISE"'),
        (b'"withheld":[]', b'"withheld":[],"x":1'),
        (b',"withheld":[]', b""),
        (b'"key":"', b'"key":"0'),
    ],
)
def test_parse_statement_altered_payload_is_malformed(old: bytes, new: bytes) -> None:
    """S-HEAD-1: one missing, unknown or ill-typed member is enough, even under good signatures."""
    payload = say().envelope.payload
    assert old in payload
    envelope = sign_envelope(SIGNER, say().envelope.payload_type, payload.replace(old, new))
    with pytest.raises(PeerError):
        parse_statement(envelope)


def test_parse_statement_of_another_payload_type_is_malformed() -> None:
    """A signed document of another kind cannot be replayed as a statement."""
    envelope = say().envelope
    other = Envelope("application/json", envelope.payload, envelope.key_id, envelope.signatures)
    with pytest.raises(PeerError):
        parse_statement(other)


@pytest.mark.parametrize("desk", ["", "x" * 65, "a\u202eb", "a\nb", None, 5])
def test_is_desk_of_anything_else_is_false(desk: object) -> None:
    """A desk fits on a line and hides nothing."""
    assert not is_desk(desk)
