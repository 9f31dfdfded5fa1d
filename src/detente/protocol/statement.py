"""Statement v1: a typed, canonical, signed, numbered, chained thing that a party said.

The normative text is docs/spec/statement.md; rule ids (S-…) are quoted where they are kept.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from detente.errors import PeerError, UsageError, shown
from detente.ledger.leaf import LeafHeader
from detente.limits import BODY_FIELDS, NAME_CHARS, PARTIES_PER_AGREEMENT
from detente.signing.base64 import decode_base64url, encode_base64url
from detente.signing.canonical import encode_canonical, parse_canonical
from detente.signing.envelope import (
    Envelope,
    encode_envelope,
    load_envelope,
    pae,
    parse_envelope,
    sign_envelope,
)
from detente.signing.key import Signatures, Signer
from detente.units import format_time, parse_time

STATEMENT_TYPE = "application/vnd.detente.statement.v1+json"
UNSIGNED = Signatures(b"", b"")  # of a draft that is only judged, never sent or logged
SALT_BYTES = 16  # 128 bits: a withheld field cannot be guessed

Chain = Literal["ordinary", "safety"]
CHAINS: tuple[Chain, ...] = (
    "safety",
    "ordinary",
)  # safety first: this is also the order of sending
Json = dict[str, Any]
Openings = dict[str, list[Any]]  # field name -> [base64url salt, value]


class Thread(msgspec.Struct, frozen=True):
    """What a statement belongs to: a notice id such as ``north:A-1``, and its version.

    Attributes:
        kind: ``notice``, ``conflict``, ``cease``, ``line`` or ``talk``; the table of types says which
            may have which. A kind not known here comes with a type not known here, which is logged
            and answered like any other.
    """

    id: str
    kind: str
    version: int


class Statement(msgspec.Struct, frozen=True):
    """A parsed statement. `payload` is the exact signed bytes; the rest is read from it.

    Attributes:
        id: hex statement id (without signatures, S-SIG-1's note).
        body: field name to commitment (base64url).
        claimed_us: the maker's clock, microseconds since the epoch; a claim.
    """

    id: str
    exercise: bool
    agreement: str | None
    body: dict[str, str]
    chain: Chain
    claimed_us: int
    party: str
    desk: str
    key: str
    link: str
    previous: str | None
    sequence: int
    thread: Thread | None
    to: tuple[str, ...]
    type: str
    withheld: tuple[str, ...]
    envelope: Envelope

    @property
    def recipient(self) -> str:
        """The party this copy goes to."""
        return self.link.partition(">")[2]

    @property
    def notice(self) -> str | None:
        """The id of the notice it belongs to, or None; threads of other kinds have ids of their own."""
        return self.thread.id if self.thread is not None and self.thread.kind == "notice" else None

    def leaf_header(
        self, kind: Literal["made", "received"], index: int, time_us: int
    ) -> LeafHeader:
        """The header of its leaf in the log of its maker (``made``) or of its addressee (``received``)."""
        return LeafHeader(
            index=index,
            kind=kind,
            type=self.type,
            time_us=time_us,
            link=self.link,
            chain=self.chain,
            sequence=self.sequence,
        )

    @property
    def body_digest(self) -> str:
        """Hex digest that all copies of one body share (S-BODY-1)."""
        return body_digest(self.body)


class _From(msgspec.Struct, forbid_unknown_fields=True):
    desk: str
    party: str


class _Thread(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    kind: str
    version: int


class _Payload(msgspec.Struct, forbid_unknown_fields=True):
    EXERCISE: bool
    agreement: str | None
    body: dict[str, str]
    chain: Chain
    claimed_time: str
    from_: _From = msgspec.field(name="from")
    key: str = msgspec.field()
    link: str = msgspec.field()
    previous: str | None = msgspec.field()
    sequence: int = msgspec.field()
    thread: _Thread | None = msgspec.field()
    to: list[str] = msgspec.field()
    type: str = msgspec.field()
    v: Literal[1] = msgspec.field()
    withheld: list[str] = msgspec.field()


_PAYLOAD = msgspec.json.Decoder(_Payload)

_TYPE = re.compile(r"[a-z0-9][a-z0-9/-]{0,63}", re.ASCII)
_KIND = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)
_WORD = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
THREAD_CHARS = 200  # a party, a colon and a name fit twice


def is_desk(value: object) -> bool:
    """Whether a value can name a desk: 1 to 64 printable characters.

    Example:
        >>> is_desk("operations-cell"), is_desk("")
        (True, False)
    """
    return isinstance(value, str) and 1 <= len(value) <= NAME_CHARS and value.isprintable()


def link_name(sender: str, recipient: str) -> str:
    """The name of one direction between two parties.

    Example:
        >>> link_name("north", "south")
        'north>south'
    """
    return f"{sender}>{recipient}"


def commit_field(salt: str, name: str, value: object) -> str:
    """The commitment of one body field: base64url of a tagged hash of [salt, name, value]."""
    opening = encode_canonical([salt, name, value])
    return encode_base64url(hashlib.sha256(b"detente:field:v1\n" + opening).digest())


def body_digest(body: Mapping[str, str]) -> str:
    """Hex digest of a body's commitments."""
    return hashlib.sha256(b"detente:body:v1\n" + encode_canonical(dict(body))).hexdigest()


def open_fields(values: Mapping[str, object], entropy: bytes) -> Openings:
    """Openings for body values, salts cut from `entropy` (16 bytes a field, in sorted field order).

    Raises:
        UsageError: ``entropy-short`` when there are not 16 bytes for each field.
    """
    if len(entropy) != SALT_BYTES * len(values):
        raise UsageError(
            "entropy-short",
            f"entropy is {len(entropy)} bytes; it must be {SALT_BYTES * len(values)}",
        )
    return {
        name: [encode_base64url(entropy[SALT_BYTES * i : SALT_BYTES * (i + 1)]), values[name]]
        for i, name in enumerate(sorted(values))
    }


def commit_openings(openings: Openings) -> dict[str, str]:
    """The body object of the payload: one commitment for each opened field."""
    return {
        name: commit_field(salt, name, value) for name, (salt, value) in sorted(openings.items())
    }


def statement_id(payload: bytes) -> str:
    """Hex id: a tagged hash of the DSSE PAE, without signatures."""
    return hashlib.sha256(b"detente:statement:v1\n" + pae(STATEMENT_TYPE, payload)).hexdigest()


def sign_statement(signer: Signer, **members: Any) -> Statement:
    """A signed statement: the next one of its link and chain. Members as `encode_payload`."""
    payload = encode_payload(key=signer.public.key_id, **members)
    return parse_statement(sign_envelope(signer, STATEMENT_TYPE, payload), canonical=True)


def draft_statement(signer: Signer, **members: Any) -> Statement:
    """The statement as it would be, unsigned: to be judged by our own rules before it is said."""
    payload = encode_payload(key=signer.public.key_id, **members)
    return parse_statement(
        Envelope(STATEMENT_TYPE, payload, signer.public.key_id, UNSIGNED), canonical=True
    )


def encode_payload(
    *,
    exercise: bool,
    agreement: str | None,
    body: Mapping[str, str],
    chain: Chain,
    claimed_us: int,
    party: str,
    desk: str,
    key: str,
    recipient: str,
    previous: str | None,
    sequence: int,
    thread: Thread | None,
    to: Sequence[str],
    type_: str,
    withheld: Sequence[str] = (),
) -> bytes:
    """The canonical bytes that are signed (section 1 of the specification)."""
    return encode_canonical(
        {
            "EXERCISE": exercise,
            "agreement": agreement,
            "body": dict(body),
            "chain": chain,
            "claimed_time": format_time(claimed_us),
            "from": {"desk": desk, "party": party},
            "key": key,
            "link": link_name(party, recipient),
            "previous": previous,
            "sequence": sequence,
            "thread": None if thread is None else msgspec.to_builtins(thread),
            "to": sorted(to),
            "type": type_,
            "v": 1,
            "withheld": sorted(withheld),
        }
    )


def parse_statement(envelope: Envelope, *, canonical: bool = False) -> Statement:
    """What an envelope says, form checked; signatures are verified by the caller, who has the key.

    Args:
        canonical: the payload is known to be canonical (we just made it).

    Raises:
        PeerError: ``statement-malformed`` with the payload as evidence (S-HEAD-1, S-HEAD-2).
    """
    data = envelope.payload

    def malformed(message: str) -> PeerError:
        return PeerError(
            "statement-malformed", message, field="payload", evidence=encode_envelope(envelope)
        )

    if envelope.payload_type != STATEMENT_TYPE:
        raise malformed(
            f"payload type is {shown(envelope.payload_type)}; it must be {STATEMENT_TYPE}"
        )
    if not canonical:
        parse_canonical(data)
    try:
        payload = _PAYLOAD.decode(data)
        claimed_us = parse_time(payload.claimed_time, field="claimed_time")
    except (msgspec.DecodeError, UsageError) as error:
        raise malformed(f"payload is not a statement: {error}") from None
    sender, arrow, recipient = payload.link.partition(">")
    first = payload.sequence == 1
    rules = (
        (payload.key == envelope.key_id, "key must be the key id of both signatures"),
        (
            bool(arrow) and sender == payload.from_.party,
            "link must start with the party it is from",
        ),
        (
            recipient in payload.to and sender not in payload.to,
            "link must end in one of the addressees",
        ),
        (payload.to == sorted(set(payload.to)), "to must be sorted, each party once"),
        (
            payload.withheld == sorted(set(payload.withheld) & set(payload.body)),
            "withheld must be sorted body fields",
        ),
        (
            payload.sequence >= 1 and first == (payload.previous is None),
            "previous must be null for sequence 1 only",
        ),
        (format_time(claimed_us) == payload.claimed_time, "claimed_time must be in canonical form"),
        (
            payload.thread is None
            or (
                payload.thread.version >= 1
                and 1 <= len(payload.thread.id) <= THREAD_CHARS
                and _KIND.fullmatch(payload.thread.kind) is not None
            ),
            "thread must have a short id and kind, and a version of 1 or more",
        ),
        (
            _TYPE.fullmatch(payload.type) is not None
            and all(_WORD.fullmatch(field) for field in payload.body)
            and is_desk(payload.from_.desk)
            and len(payload.to) <= PARTIES_PER_AGREEMENT
            and len(payload.body) <= BODY_FIELDS,
            "type, desk and body fields must be short names, addressees and fields few",
        ),
    )
    for kept, rule in rules:
        if not kept:
            raise malformed(rule)
    return _statement_of(payload, claimed_us, envelope)


def load_statement(data: bytes) -> Statement:
    """The statement of an envelope that was stored here, checked when it was.

    Half the work of `parse_statement`, for reading a whole ledger at start; never for a peer's bytes.
    """
    envelope = load_envelope(data)
    payload = _PAYLOAD.decode(envelope.payload)
    return _statement_of(payload, parse_time(payload.claimed_time), envelope)


def _statement_of(payload: _Payload, claimed_us: int, envelope: Envelope) -> Statement:
    thread = payload.thread
    return Statement(
        id=statement_id(envelope.payload),
        exercise=payload.EXERCISE,
        agreement=payload.agreement,
        body=payload.body,
        chain=payload.chain,
        claimed_us=claimed_us,
        party=payload.from_.party,
        desk=payload.from_.desk,
        key=payload.key,
        link=payload.link,
        previous=payload.previous,
        sequence=payload.sequence,
        thread=None
        if thread is None
        else Thread(id=thread.id, kind=thread.kind, version=thread.version),
        to=tuple(payload.to),
        type=payload.type,
        withheld=tuple(payload.withheld),
        envelope=envelope,
    )


def check_openings(statement: Statement, openings: object, *, complete: bool = True) -> Openings:
    """Openings that belong to the statement.

    Args:
        complete: every field but the withheld ones must be opened (S-BODY-2); False in bundles, where
            more may have been withheld since.

    Raises:
        PeerError: ``openings-wrong``.

    The attack this stops: (1) C has an envelope from A to B. (2) C sends it to B with no openings or
    false ones. (3) Were it logged as refused, A's own copy would be a duplicate. So it is a fault of
    the transport, and the chain does not move.
    """

    def wrong(rule: str) -> PeerError:
        return PeerError(
            "openings-wrong",
            f"openings of statement {statement.id[:12]} are wrong: {rule}",
            field="openings",
        )

    if not isinstance(openings, Mapping):
        raise wrong("they must be an object")
    expected = set(statement.body) - set(statement.withheld)
    if not set(openings) <= set(statement.body) or (complete and set(openings) != expected):
        raise wrong(f"they must open {', '.join(sorted(expected)) or 'nothing'}")
    for name, opening in openings.items():
        if not isinstance(opening, list) or len(opening) != 2 or not isinstance(opening[0], str):
            raise wrong(f"{name} must be [salt, value]")
        if len(decode_base64url(opening[0])) != SALT_BYTES:
            raise wrong(f"the salt of {name} must have {SALT_BYTES} bytes")
        if commit_field(opening[0], name, opening[1]) != statement.body[name]:
            raise wrong(f"{name} must hash to its commitment")
    return dict(openings)


def body_values(openings: Openings) -> Json:
    """Field name to value of the opened fields."""
    return {name: value for name, (_, value) in openings.items()}


# -- messages: what is sealed for one recipient ------------------------------------------------


def encode_message(statement: Statement, openings: Openings, voucher: object = None) -> bytes:
    """The plaintext that is sealed: envelope and openings, and a voucher where the key no longer counts.

    What its maker withholds from this recipient stays behind (S-HOLD-1).
    """
    openings = {name: one for name, one in openings.items() if name not in statement.withheld}
    envelope = parse_canonical(encode_envelope(statement.envelope))
    vouched = {} if voucher is None else {"voucher": voucher}
    return encode_canonical({"envelope": envelope, "openings": openings, **vouched})


def parse_message(data: bytes) -> tuple[Statement, object]:
    """A statement and its unchecked openings.

    Raises:
        PeerError: malformed, with the plaintext as evidence.
    """
    return parse_vouched(data)[:2]


def parse_vouched(data: bytes) -> tuple[Statement, object, object]:
    """A statement, its unchecked openings, and its unchecked voucher or None.

    Raises:
        PeerError: malformed, with the plaintext as evidence.
    """
    value = parse_canonical(data)
    if not isinstance(value, dict) or set(value) - {"voucher"} != {"envelope", "openings"}:
        raise PeerError(
            "message-malformed",
            "message must have envelope and openings, and may have a voucher",
            field="message",
            evidence=data,
        )
    statement = parse_statement(parse_envelope(encode_canonical(value["envelope"])))
    return statement, value["openings"], value.get("voucher")


def seal_info(sender: str, recipient: str) -> bytes:
    """HPKE info: binds a sealed message to its link."""
    return b"detente:seal:v1\n" + link_name(sender, recipient).encode()
