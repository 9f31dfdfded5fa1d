"""Keys learned without a line: what a root signed authenticates itself, whoever brings it.

A neutral witness exchanges no statements, so it would never hear of a rotated key. Whoever has a log hands its
certificates and revocations to the witness, and publishes them; docs/spec/ledger.md, section 6.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from detente.agreement.card import KeyCertificate
from detente.agreement.revocation import Revocation
from detente.errors import PeerError, RefusedError, UsageError, shown
from detente.limits import KEYS_PER_PARTY, LEARNED_BYTES
from detente.protocol.journal import Entry, Json
from detente.protocol.statement import body_values
from detente.signing.canonical import encode_canonical, parse_canonical

if TYPE_CHECKING:
    from detente.protocol.core import Core
    from detente.protocol.fold import State


def keys_document(core: Core, certificates: Iterable[Json] = ()) -> Json:
    """What this party's root signed about its keys: on record here, or waiting to be said.

    Args:
        certificates: more of them, such as those on the card.
    """
    party, keys = core.identity.party, core.state.keys
    waiting = [
        body_values(intent.openings)
        for _, intent in sorted(core.intents.items())
        if intent.type.startswith("policy/key-")
    ]
    certified = [
        *(one.signed for one in keys.certificates.get(party, {}).values()),
        *certificates,
        *(one["certificate"] for one in waiting if "certificate" in one),
    ]
    revoked = [
        *(one.signed for one in keys.revocations.get(party, {}).values()),
        *(one["revocation"] for one in waiting if "revocation" in one),
    ]
    return {"certificates": _once(certified), "party": party, "revocations": _once(revoked)}


def _once(documents: Iterable[Json]) -> list[Json]:
    # one of two by the same root about the same key is enough: which, is the same on each call
    found = {encode_canonical(one["document"]): one for one in documents}
    return [found[name] for name in sorted(found)][-KEYS_PER_PARTY:]


def learn_keys(core: Core, data: bytes, now_us: int) -> int:
    """Take in what a party's root signed about its keys; how many were new here.

    Nothing is written where nothing is new, so asking again costs no entry.

    Raises:
        PeerError: not of the form, or not signed by that party's agreed root.
        UsageError: ``party-unknown``. RefusedError: ``keys-full``.
    """
    value = _parse(data)
    party = value["party"]
    card = core.state.cards.get(party)
    if card is None or party == core.identity.party:
        raise UsageError("party-unknown", f"party is {shown(party)}; it must be agreed with here")
    keys = core.state.keys
    certificates: list[KeyCertificate] = []
    revocations: list[Revocation] = []
    for i, one in enumerate(value["certificates"]):
        field = f"certificates[{i}]"
        certificate = keys.read_certificate(one, party, card.root, field)
        known = keys.certificates.get(party, {}).get(certificate.key_id)
        if known is None or known.serial < certificate.serial:
            certificates.append(certificate)
    for i, one in enumerate(value["revocations"]):
        field = f"revocations[{i}]"
        revocation = keys.read_revocation(one, party, card.root, field)
        if not keys.has_revoked(revocation):
            revocations.append(revocation)
    ids = {c.key_id for c in certificates} | set(keys.certificates.get(party, {}))
    if len(ids) > KEYS_PER_PARTY or len(revocations) > KEYS_PER_PARTY:
        raise RefusedError(
            "keys-full", f"{party} has {len(ids)} keys; at most {KEYS_PER_PARTY} are kept here"
        )
    if certificates or revocations:
        _note(
            core,
            now_us,
            party,
            [one.signed for one in certificates],
            [one.signed for one in revocations],
        )
    return len(certificates) + len(revocations)


def note_own(core: Core, field: str, document: Json, now_us: int) -> None:
    """What a neutral's own root signed about its keys: it has nobody to tell, and publishes it.

    Raises:
        PeerError: not signed by its root.
    """
    party, keys = core.identity.party, core.state.keys
    if field == "card":
        raise UsageError(
            "no-line",
            f"{party} has no line by which to tell others; its address must come with a new agreement",
            field="type",
        )
    read = keys.read_certificate if field == "certificate" else keys.read_revocation
    read(document, party, core.state.cards[party].root, field)
    certificates, revocations = ([document], []) if field == "certificate" else ([], [document])
    _note(core, now_us, party, certificates, revocations)


def _note(
    core: Core, now_us: int, party: str, certificates: list[Json], revocations: list[Json]
) -> None:
    core.append_local(
        now_us,
        "keys/learned",
        party=party,
        certificates=certificates,
        revocations=revocations,
    )


def _parse(data: bytes) -> dict[str, Any]:
    value = parse_canonical(data, most_bytes=LEARNED_BYTES)
    if (
        not isinstance(value, dict)
        or set(value) != {"certificates", "party", "revocations"}
        or not isinstance(value["party"], str)
        or not all(
            isinstance(one, list) and len(one) <= KEYS_PER_PARTY
            for one in (value["certificates"], value["revocations"])
        )
    ):
        raise PeerError(
            "keys-malformed",
            f"keys are {shown(value)}; they must be party, certificates and revocations, at most {KEYS_PER_PARTY} each",
            field="body",
            evidence=data[:1024],
        )
    return value


def apply_learned(state: State, entry: Entry, local: Json) -> None:
    """Fold the local entry ``keys/learned``."""
    party = local["party"]
    root = state.cards[party].root
    for one in local["certificates"]:
        state.keys.add(state.keys.read_certificate(one, party, root))
    for one in local["revocations"]:
        state.keys.revoke(state.keys.read_revocation(one, party, root))
