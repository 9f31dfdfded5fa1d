"""The agreement: documented defaults, errors by name, and nobody bound who has not signed."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest

from detente.agreement.card import parse_card
from detente.agreement.terms import (
    Terms,
    agreement_hash,
    parse_agreement,
    parse_terms,
    propose_agreement,
    sign_agreement,
    verify_agreement_file,
)
from detente.errors import PeerError, RefusedError, UsageError
from detente.limits import PARTIES_PER_AGREEMENT, WITNESSES_PER_AGREEMENT
from detente.signing.simulated import KEYED_HASH
from detente.simulation.chance import Chance
from detente.simulation.party import make_agreement, make_party
from detente.units import TENTH_MM_PER_FT, TENTH_MM_PER_NM, parse_time

NOW_US = parse_time("2018-09-17T12:00:00Z")
PARTIES = [make_party(name, Chance(i), NOW_US) for i, name in enumerate(("north", "south", "un"))]
CARDS = [parse_card(party.card, verifier=KEYED_HASH) for party in PARTIES]
SIGNED = make_agreement(PARTIES, NOW_US)


def verify(file: object) -> Any:
    """The agreement of a file."""
    return verify_agreement_file(file, verifier=KEYED_HASH)


def propose(cards: list[Any], witnesses: list[str], terms: Terms | None = None) -> Any:
    """An unsigned agreement."""
    return propose_agreement(cards, witnesses, terms or Terms(), NOW_US, verifier=KEYED_HASH)


# -- terms ---------------------------------------------------------------------------------------


def test_terms_have_a_default_for_everything() -> None:
    """Nothing has to be written down before two parties can talk."""
    terms = parse_terms({})
    assert terms == Terms()
    assert terms.minima.lateral_tenth_mm == 3 * TENTH_MM_PER_NM
    assert terms.minima.vertical_tenth_mm == 3000 * TENTH_MM_PER_FT
    assert terms.minima.time_us == 0
    assert terms.lead_times_s["default"] == 600
    assert terms.comm_checks == ["09:00", "16:00"]
    assert terms.clock_offset_limit_s == 5
    assert terms.exercise_only is False


def test_terms_of_the_ladder_have_the_deadlines_of_the_specification() -> None:
    """H-DUE-1, H-LAD-3: an agreement from before them means these; a deadline left out is none."""
    terms = parse_terms({})
    assert terms.receipt_deadlines_s == {"opened": 300, "read-back": 900, "disseminated": 1800}
    assert (terms.read_back.place_m, terms.read_back.time_s) == (1000, 60)
    assert parse_terms({"receipt_deadlines_s": {"opened": 60}}).receipt_deadlines_s == {
        "opened": 60
    }


@pytest.mark.parametrize(
    "value",
    [
        {"receipt_deadlines_s": {"opned": 60}},
        {"receipt_deadlines_s": {"opened": -1}},
        {"read_back": {"place_m": -1}},
        {"read_back": {"metres": 5}},
    ],
)
def test_terms_of_the_ladder_that_mean_nothing_are_refused(value: Any) -> None:
    """A misspelt rung would be a deadline that nobody keeps."""
    with pytest.raises(UsageError) as error:
        parse_terms(value)
    assert error.value.code == "terms-malformed"


def test_terms_given_in_part_keep_the_other_defaults() -> None:
    """An override changes what it names."""
    terms = parse_terms({"minima": {"lateral_tenth_mm": 5}, "quorum": 2})
    assert terms.minima.lateral_tenth_mm == 5
    assert terms.minima.vertical_tenth_mm == 3000 * TENTH_MM_PER_FT
    assert terms.quorum == 2
    bounds = parse_terms({"datum_bounds": {}}).datum_bounds
    assert bounds == Terms().datum_bounds


@pytest.mark.parametrize(
    "terms",
    [
        5,
        None,
        {"minimum": {}},
        {"minima": {"lateral_tenth_mm": -1}},
        {"minima": {"lateral_tenth_mm": 1.5}},
        {"minima": {"lateral": 5}},
        {"datum_bounds": {"unheard_of": 1}},
        {"clock_offset_limit_s": 0},
        {"lead_times_s": {"default": -1}},
        {"lead_times_s": {"default": "600"}},
        {"answer_deadlines_s": {"flash": -60}},
        {"escalation_s": [30, -1]},
        {"quorum": -1},
        {"exercise_only": "yes"},
        {"scenario_clock": {"name": "x", "starts_at": "2018-09-17T18:00:00Z"}},
        {
            "scenario_clock": {
                "name": "x",
                "starts_at": "2018-09-17T18:00:00Z",
                "real_start": "2026-01-01T00:00:00Z",
            }
        },
        {
            "exercise_only": True,
            "scenario_clock": {
                "name": "x",
                "starts_at": "18:00",
                "real_start": "2026-01-01T00:00:00Z",
            },
        },
        {
            "exercise_only": True,
            "scenario_clock": {
                "name": "x",
                "starts_at": "2018-09-17T18:00:00Z",
                "real_start": "2026-01-01T00:00:00Z",
                "rate": 0,
            },
        },
    ],
)
def test_terms_wrong_are_refused(terms: object) -> None:
    """A term of another type, name or range is refused, by the member's name where there is one."""
    with pytest.raises(UsageError) as caught:
        parse_terms(terms)
    assert str(caught.value)


def test_terms_scenario_clock_belongs_to_exercises() -> None:
    """A declared clock is for exercises only, where nothing flies."""
    clock = {
        "name": "il20",
        "starts_at": "2018-09-17T18:00:00Z",
        "real_start": "2026-01-01T00:00:00Z",
        "rate": 60,
    }
    terms = parse_terms({"exercise_only": True, "scenario_clock": clock})
    assert terms.scenario_clock is not None
    assert terms.scenario_clock.rate == 60


# -- the document --------------------------------------------------------------------------------


def test_agreement_signed_by_all_is_in_force_for_all() -> None:
    """Members, roles, terms and hash come out of the file."""
    agreement, cards = verify(SIGNED)
    assert agreement.parties == ("north", "south", "un")
    assert set(cards) == set(agreement.members)
    assert agreement.hash == agreement_hash(SIGNED["agreement"])
    assert agreement.created_us == NOW_US
    assert agreement.terms == Terms()


def test_agreement_neutral_members_file_no_notices() -> None:
    """A neutral signs and witnesses, and is no party to notices."""
    neutral = msgspec.structs.replace(CARDS[2], role="neutral")
    file = propose([CARDS[0], CARDS[1], neutral], ["un"])
    agreement = parse_agreement(file["agreement"], verifier=KEYED_HASH)
    assert agreement.parties == ("north", "south")
    assert agreement.witnesses == ("un",)


def test_agreement_hash_is_of_the_document_not_of_the_signatures() -> None:
    """All parties quote one hash, whoever signed when; and every word changes it."""
    unsigned = propose(CARDS, [])
    assert agreement_hash(unsigned["agreement"]) == verify(SIGNED)[0].hash
    other = propose(CARDS, [], parse_terms({"quorum": 2}))
    assert agreement_hash(other["agreement"]) != verify(SIGNED)[0].hash


@pytest.mark.parametrize(("signers", "missing"), [([], "north, south, un"), ([0, 2], "south")])
def test_agreement_unsigned_names_who_is_missing(signers: list[int], missing: str) -> None:
    """An agreement that a party has not signed binds nobody, and the error says whom to ask."""
    file = propose(CARDS, [])
    for number in signers:
        party = PARTIES[number]
        file = sign_agreement(file, party.name, party.root, verifier=KEYED_HASH)
    with pytest.raises(RefusedError) as caught:
        verify(file)
    assert caught.value.rule == "agreement-unsigned"
    assert f"signature of {missing};" in caught.value.message
    assert missing.split(",")[0] in caught.value.hint


def test_agreement_sign_twice_changes_nothing() -> None:
    """Signing again is harmless."""
    again = sign_agreement(SIGNED, "north", PARTIES[0].root, verifier=KEYED_HASH)
    assert again == SIGNED


@pytest.mark.parametrize(("party", "key"), [("mars", 0), ("north", 1)])
def test_agreement_sign_by_a_stranger_is_refused(party: str, key: int) -> None:
    """Only a member signs, with the root that the agreement names."""
    with pytest.raises(UsageError) as caught:
        sign_agreement(SIGNED, party, PARTIES[key].root, verifier=KEYED_HASH)
    assert caught.value.code == "not-a-member"


def changed(path: list[Any], value: object) -> Any:
    """The signed file with one member changed."""
    file = copy.deepcopy(SIGNED)
    inner = file
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return file


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["agreement", "terms", "quorum"], 0),
        (["agreement", "terms", "minima", "lateral_tenth_mm"], 0),
        (["agreement", "witnesses"], ["un"]),
        (["agreement", "created"], "2018-09-17T12:00:01Z"),
        (["agreement", "parties", 0, "name"], "Mallory"),
        (["agreement", "parties", 0, "role"], "organisation"),
        (["agreement", "v"], 2),
        (["agreement"], 5),
        (["agreement", "parties"], 5),
        (["agreement", "parties"], ["north", "south"]),
        (["agreement", "witnesses"], ["mars"]),
        (["agreement", "witnesses"], [[]]),
        (["agreement", "terms"], []),
        (["signatures"], 5),
        (["signatures"], []),
        (["signatures", "mars"], {}),
        (["signatures", "north"], {}),
        (["signatures", "north"], SIGNED["signatures"]["south"]),
        (["signatures", "north", "ml-dsa-44"], SIGNED["signatures"]["south"]["ml-dsa-44"]),
        (["signatures", "north", "ed25519"], SIGNED["signatures"]["south"]["ed25519"]),
        (["cards"], []),
        (["cards"], {}),
        (["cards", "mars"], SIGNED["cards"]["north"]),
        (["cards", "north"], SIGNED["cards"]["south"]),
        (["cards", "north"], None),
        (["cards", "north", "document", "address"], "https://elsewhere.invalid"),
        (["more"], 1),
    ],
)
def test_agreement_file_tampered_with_is_refused(path: list[Any], value: object) -> None:
    """Every word is under every signature, every card under its own; other JSON is the peer's fault."""
    with pytest.raises(PeerError):
        verify(changed(path, value))


def test_agreement_card_of_another_key_is_refused() -> None:
    """A card with another root than was agreed does not come in with the file."""
    other = make_party("north", Chance(99), NOW_US)
    with pytest.raises(PeerError) as caught:
        verify(changed(["cards", "north"], other.card))
    assert caught.value.code == "card-mismatch"


@pytest.mark.parametrize("file", [None, 5, [], {}, {"agreement": {}}])
def test_agreement_file_of_other_json_is_refused(file: object) -> None:
    """A file that is no agreement is refused as such."""
    with pytest.raises(PeerError):
        verify(file)


def test_propose_counts_parties_and_witnesses() -> None:
    """Two parties at least, as many as a mesh carries at most, and nobody twice."""
    with pytest.raises(UsageError) as caught:
        propose(CARDS[:1], [])
    assert caught.value.code == "members-count"
    with pytest.raises(UsageError) as caught:
        propose([*CARDS, CARDS[0]], [])
    assert caught.value.code == "party-twice"
    many = [
        msgspec.structs.replace(CARDS[0], party=f"p{i}") for i in range(PARTIES_PER_AGREEMENT + 1)
    ]
    with pytest.raises(UsageError):
        propose(many, [])
    with pytest.raises(UsageError):
        propose(CARDS, ["un"] * (WITNESSES_PER_AGREEMENT + 1))


def test_parse_agreement_with_too_many_members_is_refused() -> None:
    """The limits hold for what a peer proposes, too."""
    document = copy.deepcopy(SIGNED["agreement"])
    document["parties"] = [
        {**document["parties"][0], "id": f"p{i}"} for i in range(PARTIES_PER_AGREEMENT + 1)
    ]
    with pytest.raises(PeerError):
        parse_agreement(document, verifier=KEYED_HASH)
