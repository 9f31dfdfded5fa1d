"""Who a node is: the keys it acts with."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from detente.protocol.journal import Json
from detente.signing.key import STRICT, Signer, Verifier
from detente.signing.sealing import HPKE, Opener, Sealer


class Identity(msgspec.Struct, frozen=True):
    """Who this node is: the keys it acts with, injected so that the simulator can bring its own.

    Attributes:
        leaf_seed: secret from which every leaf salt is derived; part of every backup.
        transport_key: id of the transport key certified by our root.
        sign_transport: Ed25519 signature with the transport key.
        certificates: of these keys, signed, as they are kept beside them: a record may be older than a key.
    """

    party: str
    signer: Signer
    opener: Opener
    leaf_seed: bytes
    transport_key: str
    sign_transport: Callable[[bytes], bytes]
    certificates: tuple[Json, ...] = ()
    sealer: Sealer = HPKE
    verifier: Verifier = STRICT
