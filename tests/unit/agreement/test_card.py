"""Cards, certificates, revocations: what a root vouches for, and what nobody can slip into it."""

from __future__ import annotations

import copy
from typing import Any, cast

import pytest

from detente.agreement.card import (
    CARD_TYPE,
    CERTIFICATE_TYPE,
    Use,
    check_party_id,
    fingerprint,
    issue_certificate,
    parse_card,
    parse_certificate,
)
from detente.agreement.directory import KeyDirectory
from detente.agreement.document import sign_document, verify_document
from detente.agreement.revocation import (
    REVOCATION_TYPE,
    Doubt,
    Revocation,
    issue_revocation,
    parse_revocation,
)
from detente.errors import PeerError, UsageError
from detente.signing.base64 import encode_base64url
from detente.signing.key import SEED_BYTES, PublicKeys, SigningKeys
from detente.signing.simulated import KEYED_HASH, KeyedHashKeys
from detente.simulation.chance import Chance
from detente.simulation.party import DAY_US, REAL, make_party
from detente.units import format_time, parse_time

NOW_US = parse_time("2018-09-17T12:00:00Z")
PARTY = make_party("north", Chance(1), NOW_US)
NEW = KeyedHashKeys(b"n" * SEED_BYTES)


def certificate(**changed: Any) -> Any:
    """A signed certificate for a new signing key, with members changed before it was signed."""
    document: dict[str, Any] = {
        "key": dict(NEW.public.to_json()),
        "key_id": NEW.public.key_id,
        "party": "north",
        "serial": 2,
        "use": "signing",
        "v": 1,
        "valid_from": format_time(NOW_US),
        "valid_until": format_time(NOW_US + DAY_US),
        **changed,
    }
    kept = {k: v for k, v in document.items() if v is not ...}
    return sign_document(PARTY.root, CERTIFICATE_TYPE, kept)


def parse(signed: object, root: PublicKeys | None = None) -> Any:
    """Parse a certificate of north's."""
    return parse_certificate(
        signed, party="north", root=root or PARTY.root.public, field="c", verifier=KEYED_HASH
    )


def test_card_reads_back_and_certifies_all_uses() -> None:
    """A card carries root, address and one certified key for each use."""
    card = parse_card(PARTY.card, verifier=KEYED_HASH)
    assert (card.party, card.role, card.root) == ("north", "party", PARTY.root.public)
    assert card.certificate("signing").key_id == PARTY.identity.signer.public.key_id
    assert card.certificate("transport").key_id == PARTY.identity.transport_key
    assert {one.use for one in card.certificates} == {"signing", "sealing", "transport"}


def test_card_with_real_keys_reads_back() -> None:
    """The same with the keys of real nodes."""
    party = make_party("south", Chance(2), NOW_US, REAL)
    assert parse_card(party.card).root == party.root.public
    with pytest.raises(PeerError):
        parse_card(PARTY.card)  # a simulated key is no key


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["document", "name"], "Mallory"),
        (["document", "address"], "https://elsewhere.invalid"),
        (["document", "role"], "neutral"),
        (["document", "party"], "south"),
        (["document", "tls_ca"], "AAAA"),
        (["document", "certificates"], []),
        (["document", "certificates", 0, "document", "serial"], 9),
        (["document", "more"], 1),
        (["signatures", "ed25519"], "AAAA"),
        (["signatures", "ml-dsa-44"], "AAAA"),
        (["signatures", "ed25519"], 5),
        (["signatures"], {}),
        (["document"], 5),
        (["document", "root"], None),
        (["document", "name"], 1.5),
        (["more"], 1),
    ],
)
def test_card_tampered_with_is_refused(path: list[Any], value: object) -> None:
    """Each member is under both signatures, and each certificate under the root's."""
    card = copy.deepcopy(PARTY.card)
    inner = card
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(PeerError):
        parse_card(card, verifier=KEYED_HASH)


@pytest.mark.parametrize(
    "changed",
    [
        {"name": ""},
        {"name": 5},
        {"role": "king"},
        {"role": ["party"]},
        {"party": "North!"},
        {"certificates": 5},
        {"certificates": [5]},
        {"certificates": []},
        {"address": 5},
    ],
)
def test_card_signed_over_nonsense_is_refused(changed: dict[str, Any]) -> None:
    """A root may sign anything about itself; we take only what has the form of a card."""
    document = {**PARTY.card["document"], **changed}
    with pytest.raises(PeerError):
        parse_card(sign_document(PARTY.root, CARD_TYPE, document), verifier=KEYED_HASH)


@pytest.mark.parametrize("card", [None, 5, [], {}, {"document": {}}, "card"])
def test_card_of_other_json_is_refused(card: object) -> None:
    """A file that is no card is refused as such."""
    with pytest.raises(PeerError):
        parse_card(card, verifier=KEYED_HASH)


def test_certificate_reads_back() -> None:
    """What the root certified is what is parsed."""
    found = parse(certificate())
    assert (found.party, found.use, found.key_id) == ("north", "signing", NEW.public.key_id)
    assert (found.valid_from_us, found.valid_until_us) == (NOW_US, NOW_US + DAY_US)


@pytest.mark.parametrize(
    "changed",
    [
        {"party": "south"},
        {"use": "voting"},
        {"use": ["signing"]},
        {"use": "sealing"},
        {"key": {}},
        {"key": 5},
        {"key_id": "ab" * 16},
        {"key_id": ["x"]},
        {"serial": "2"},
        {"serial": None},
        {"v": 2},
        {"v": True},
        {"valid_from": 5},
        {"valid_until": "soon"},
        {"valid_until": ...},
        {"more": 1},
    ],
)
def test_certificate_of_wrong_form_is_refused(changed: dict[str, Any]) -> None:
    """Types, form and the key under its own id are checked before a certificate is believed."""
    with pytest.raises(PeerError):
        parse(certificate(**changed))


def test_certificate_of_another_root_or_kind_is_refused() -> None:
    """Only the party's own root certifies, and only by a certificate."""
    with pytest.raises(PeerError):
        parse(certificate(), root=NEW.public)
    revocation = issue_revocation(
        PARTY.root, party="north", key_id=NEW.public.key_id, revoked_at_us=NOW_US, reason="lost"
    )
    with pytest.raises(PeerError):
        parse(revocation)


def test_revocation_has_one_of_three_reasons_and_an_older_one_reads_as_unstated() -> None:
    """Nobody has to guess from a text whether a key was stolen; a revocation of 0.3.0 still counts."""
    with pytest.raises(UsageError) as caught:
        issue_revocation(
            PARTY.root, party="north", key_id="ab" * 16, revoked_at_us=NOW_US, reason="stolen"
        )
    assert caught.value.code == "reason-unknown"
    older = {
        "key_id": "ab" * 16,
        "party": "north",
        "reason": "we think that it was stolen",
        "revoked_at": format_time(NOW_US),
        "v": 1,
    }
    found = parse_revocation(
        sign_document(PARTY.root, REVOCATION_TYPE, older),
        party="north",
        root=PARTY.root.public,
        field="r",
        verifier=KEYED_HASH,
    )
    assert (found.reason, found.since_us) == ("unstated", NOW_US)


def test_revocation_reads_back_and_is_the_roots_own() -> None:
    """A revocation names a key and a time, and another root's counts for nothing."""
    signed = issue_revocation(
        PARTY.root, party="north", key_id="ab" * 16, revoked_at_us=NOW_US, reason="lost"
    )

    def read(party: str, root: PublicKeys) -> Revocation:
        return parse_revocation(signed, party=party, root=root, field="r", verifier=KEYED_HASH)

    assert read("north", PARTY.root.public) == Revocation(
        "north", "ab" * 16, "lost", NOW_US, signed
    )
    with pytest.raises(PeerError):
        read("south", PARTY.root.public)
    with pytest.raises(PeerError):
        read("north", NEW.public)


@pytest.mark.parametrize(
    "changed", [{"key_id": 5}, {"key_id": "x"}, {"revoked_at": 5}, {"v": 2}, {"key_id": ...}]
)
def test_revocation_of_wrong_form_is_refused(changed: dict[str, Any]) -> None:
    """As for certificates."""
    document: dict[str, Any] = {
        "key_id": "ab" * 16,
        "party": "north",
        "reason": "x",
        "revoked_at": format_time(NOW_US),
        "v": 1,
        **changed,
    }
    kept = {k: v for k, v in document.items() if v is not ...}
    with pytest.raises(PeerError):
        parse_revocation(
            sign_document(PARTY.root, REVOCATION_TYPE, kept),
            party="north",
            root=PARTY.root.public,
            field="r",
            verifier=KEYED_HASH,
        )


def test_document_with_a_float_is_the_peers_fault() -> None:
    """What has no canonical form cannot have been signed."""
    with pytest.raises(PeerError):
        verify_document(
            {"document": {"x": 1.5}, "signatures": {}},
            CARD_TYPE,
            PARTY.root.public,
            field="d",
            verifier=KEYED_HASH,
        )


# -- the directory -------------------------------------------------------------------------------


def directory() -> KeyDirectory:
    """North's keys, and a second signing key for a day."""
    keys = KeyDirectory(verifier=KEYED_HASH)
    keys.add_card(parse_card(PARTY.card, verifier=KEYED_HASH))
    keys.add(parse(certificate()))
    return keys


def code(error: pytest.ExceptionInfo[PeerError]) -> str:
    """The stable name of the error."""
    return error.value.code


def test_directory_key_counts_within_its_time_only() -> None:
    """Half-open: from the first instant, up to and without the last."""
    keys, key_id = directory(), NEW.public.key_id
    assert keys.signing_key("north", key_id, NOW_US) == NEW.public
    assert keys.signing_key("north", key_id, NOW_US + DAY_US - 1) == NEW.public
    for time_us in (NOW_US - 1, NOW_US + DAY_US):
        with pytest.raises(PeerError) as caught:
            keys.signing_key("north", key_id, time_us)
        assert code(caught) == "key-expired"
    assert keys.known_key("north", key_id) == NEW.public


def test_directory_revoked_key_counts_no_more_and_is_still_known() -> None:
    """From the time of revocation it signs nothing; what it signed before can still be checked."""
    keys, key_id = directory(), NEW.public.key_id
    keys.revoke(Revocation("north", key_id, "superseded", NOW_US + 5))
    keys.revoke(Revocation("north", key_id, "compromised", NOW_US + 9))  # the earliest stands
    assert keys.signing_key("north", key_id, NOW_US + 4) == NEW.public
    with pytest.raises(PeerError) as caught:
        keys.signing_key("north", key_id, NOW_US + 5)
    assert code(caught) == "key-revoked"
    assert keys.known_key("north", key_id) == NEW.public
    assert keys.doubt("north", key_id, NOW_US + 4) is None
    assert keys.doubt("north", key_id, NOW_US + 9) == Doubt(
        key_id, "superseded", format_time(NOW_US + 5)
    )
    keys.revoke(Revocation("north", key_id, "compromised", NOW_US + 5))  # of two the worse
    keys.revoke(Revocation("north", key_id, "superseded", NOW_US + 5))
    found = keys.doubt("north", key_id, NOW_US + 5)
    assert found is not None
    assert found.reason == "compromised"
    assert keys.is_revoked("north", key_id)
    assert not keys.is_revoked("south", key_id)


def test_directory_current_is_the_newest_that_counts() -> None:
    """The highest serial wins while it is valid and not revoked."""
    keys = directory()
    first = PARTY.identity.signer.public.key_id
    assert keys.current("north", "signing", NOW_US).key_id == NEW.public.key_id
    assert keys.current("north", "signing", NOW_US - 1).key_id == first
    keys.revoke(Revocation("north", NEW.public.key_id, "lost", NOW_US))
    assert keys.current("north", "signing", NOW_US).key_id == first
    with pytest.raises(PeerError) as caught:
        keys.current("mars", "signing", NOW_US)
    assert code(caught) == "key-unknown"


def test_directory_key_of_another_use_or_party_is_unknown() -> None:
    """A transport key signs no statement, and nobody signs with another's key."""
    keys = directory()
    for party, key_id in (
        ("north", PARTY.identity.transport_key),
        ("south", NEW.public.key_id),
        ("north", "00" * 16),
    ):
        with pytest.raises(PeerError) as caught:
            keys.signing_key(party, key_id, NOW_US)
        assert code(caught) == "key-unknown"
        with pytest.raises(PeerError):
            keys.known_key(party, key_id)


def test_fingerprint_is_thirty_digits_and_hears_both_keys() -> None:
    """Six groups of five, read out by voice; another key gives other digits."""
    roots = [SigningKeys.from_seed(bytes([n]) * 64).public for n in range(3)]
    prints = {fingerprint(root) for root in roots}
    assert len(prints) == 3
    for one in prints:
        groups = one.split(" ")
        assert len(groups) == 6
        assert all(len(group) == 5 and group.isdigit() for group in groups)
    mixed = PublicKeys(roots[0].ed25519, roots[1].mldsa44)
    assert fingerprint(mixed) not in prints


@pytest.mark.parametrize("value", ["", "North", "1x", "a" * 33, "a b", "a>b", "a:b", None, "ä"])
def test_party_id_of_other_form_is_refused(value: object) -> None:
    """An id is safe in file names, origins, links and log lines."""
    with pytest.raises(UsageError):
        check_party_id(value, field="party")
    assert check_party_id("un-observers-2", field="party") == "un-observers-2"


def test_issue_certificate_is_what_parse_reads() -> None:
    """The two halves agree."""
    signed = issue_certificate(
        PARTY.root,
        party="north",
        use="signing",
        key_id=NEW.public.key_id,
        key=dict(NEW.public.to_json()),
        serial=2,
        valid_from_us=NOW_US,
        valid_until_us=NOW_US + DAY_US,
    )
    assert signed == certificate()


# every way in for an Ed25519 key: encodings of small or mixed order, off the curve, not canonical
WEAK = {
    "identity": bytes([1]) + bytes(31),
    "order 2": (2**255 - 20).to_bytes(32, "little"),
    "order 4": bytes(32),
    "order 8": bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    "not canonical": (2**255 - 18).to_bytes(32, "little"),
    "off the curve": (2).to_bytes(32, "little"),
    "mixed order": bytes.fromhex(
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d"
    ),
}


@pytest.mark.parametrize("weak", WEAK.values(), ids=WEAK.keys())
def test_weak_key_enters_nowhere(weak: bytes) -> None:
    """K-KEY-2: as root, as signing key and as transport key, also where the root vouches for it."""
    root = SigningKeys.from_seed(bytes(range(64)))
    strong = root.public
    text = encode_base64url(weak)
    pair = {**strong.to_json(), "ed25519": text}
    for use, key, public in (
        ("transport", {"ed25519": text}, PublicKeys(weak, b"")),
        ("signing", pair, PublicKeys(weak, strong.mldsa44)),
    ):
        signed = issue_certificate(
            root,
            party="north",
            use=cast("Use", use),
            key_id=public.key_id,
            key=key,
            serial=1,
            valid_from_us=NOW_US,
            valid_until_us=NOW_US + DAY_US,
        )
        with pytest.raises(PeerError) as caught:
            parse_certificate(signed, party="north", root=strong, field="c")
        assert code(caught) in {"key-weak", "certificate-malformed"}
    card = {**PARTY.card, "document": {**PARTY.card["document"], "root": pair}}
    with pytest.raises(PeerError) as caught:
        parse_card(card)
    assert code(caught) == "key-weak"
