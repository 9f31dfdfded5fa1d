"""DIR: what a node keeps on disk, and how it is made.

config.toml    settings, with comments
card.json      what the other side gets
keys/          seeds and certificates, readable by their owner only; root.seed may be moved away;
               next/ and old/ while keys are replaced (rotation.py)
detente.db     the store
node.lock      held by the one process that has the store open
node.sock      local socket of a running node
log/           rotating log without content
"""

from __future__ import annotations

import fcntl
import ipaddress
import json
import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate

from detente.agreement.card import (
    ROLES,
    Card,
    Role,
    check_party_id,
    issue_card,
    issue_certificate,
    parse_card,
)
from detente.errors import PeerError, UnavailableError, UsageError, shown
from detente.ledger.cosignature import parse_cosigner
from detente.ledger.timestamp import parse_roots
from detente.limits import NAME_CHARS
from detente.node import tls
from detente.node.clock import real_us
from detente.protocol.identity import Identity
from detente.signing.base64 import encode_base64url
from detente.signing.key import PublicKeys, SigningKeys
from detente.signing.sealing import Opener, SealingKeys, SealingRing
from detente.units import US_PER_S

_SOCKET_PATH_BYTES = 100  # Linux takes 107, others 103
KEY_DAYS = 2 * 365  # signing, sealing and transport keys; `doctor` warns 30 days before
_SEEDS = {"root": 64, "signing": 64, "sealing": 96, "transport": 32, "leaf": 32}

_CONFIG = """\
# detente node settings. Times are UTC unless the agreement declares a scenario clock.

party = {party}
name = {name}
role = "{role}"

# Where peers and witnesses reach this node (TLS 1.3, mutual).
listen = {listen}

# The HTTP API for operators. Beyond loopback it is served with TLS.
api = {api}

# The desk that speaks when the command line is used; a desk speaks, never a person.
desk = "operations-cell"

# Seconds between heartbeats on an idle line, and the longest pause between tries on a dead one.
heartbeat_s = 15
retry_most_s = 60

# Seconds without a key or a touch after which the console locks itself. A quarter of an hour: a locked
# console alarms, and tells nobody who passes by what about.
lock_after_s = 900

# Size in megabytes of one log file, and how many are kept. The log holds no content.
log_megabytes = 10
log_files = 5

# Size in megabytes that the record may grow to; 0 for as much as the disk holds. At the limit nothing
# more is taken, the others are told so, and nothing is lost.
store_megabytes = 0

# A second address of a peer, by party, such as {{ south = "https://203.0.113.7:4710" }}. While the first is silent what
# is on the safety chain goes by it: a check that was not answered in time, and at once whatever is urgent. The
# peer's keys are the same on both.
alternates = {{}}

# For "who must move": the speed in knots at which own aircraft are taken to leave a volume (250 kt is what civil
# rules hold aircraft to below 10,000 ft), and how far in nautical miles from an activity that draws fire a third
# party may hit (the aircraft lost in September 2018 was some 20 NM from the place; patrols of that night were 50).
# Neither is ever told to anybody.
clear_speed_kt = 250
hazard_margin_nm = 50

# Whether a neutral witness keeps copies of the parties' logs, too. A party always does.
mirror = false

# Witnesses that stand alone and are in no agreement, each with its two keys as `detente witness show` prints them.
# [[witness]]
# url = "https://witness.example"
# vkeys = ["witness.example/w1+…", "witness.example/w1+…"]

# An authority of time stamps (RFC 3161), asked to stamp the newest checkpoint once in `every_s` if there is a new one. It is
# told 64 bytes of a hash and nothing else. With `certificate`, a PEM file beside this one with the authority's root
# certificate, what does not verify is not kept; `policy` is the object identifier wanted, if it matters.
# [timestamp]
# url = "https://tsa.example/tsr"
# certificate = "tsa.pem"
# every_s = 3600
"""


class Timestamp(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The authority of time stamps, `[timestamp]` of config.toml.

    Attributes:
        certificate: a PEM file, its path from the node's directory; None to keep stamps unverified.
    """

    url: Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s/@]+(/\S*)?$", max_length=2000)]
    certificate: str | None = None
    policy: Annotated[str, msgspec.Meta(pattern=r"^[0-2](\.[0-9]{1,20}){1,20}$")] | None = None
    every_s: Annotated[float, msgspec.Meta(ge=60, le=7 * 86_400)] = 3600


class LoneAddress(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A witness that stands alone, one `[[witness]]` of config.toml.

    Attributes:
        vkeys: its two keys, as `detente witness show` prints them.
    """

    url: Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s/@]+(/\S*)?$", max_length=2000)]
    vkeys: tuple[str, str]

    def check(self) -> tuple[str, PublicKeys]:
        """Its name and keys (L-WIT-8).

        Raises:
            UsageError: ``witness-setting``. PeerError: a key is malformed or weak.
        """
        name, public = parse_cosigner(self.vkeys)
        if "/" not in name or name.startswith("detente/"):
            raise UsageError(
                "witness-setting",
                f"name is {shown(name)}; it must have a slash and not begin with detente/, as no party's does",
                field="witness.vkeys",
            )
        host = urlsplit(self.url).hostname or ""
        if self.url.startswith("http://") and not is_loopback(host):
            raise UsageError(
                "witness-setting",
                f"url is {shown(self.url)}; it must be https, or http on loopback",
                field="witness.url",
            )
        return name, public


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The settings of config.toml."""

    party: str
    name: str
    role: Role
    listen: str
    api: str
    desk: str = "operations-cell"
    heartbeat_s: Annotated[float, msgspec.Meta(ge=0.1, le=3600)] = 15
    retry_most_s: Annotated[float, msgspec.Meta(ge=0.1, le=3600)] = 60
    lock_after_s: Annotated[int, msgspec.Meta(ge=30, le=43_200)] = 900
    log_megabytes: Annotated[float, msgspec.Meta(ge=0.001, le=1e6)] = 10
    log_files: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 5
    store_megabytes: Annotated[float, msgspec.Meta(ge=0, le=1e9)] = 0
    alternates: dict[str, str] = {}
    mirror: bool = False
    witness: list[LoneAddress] = []
    timestamp: Timestamp | None = None
    clear_speed_kt: Annotated[float, msgspec.Meta(ge=30, le=2000)] = 250
    hazard_margin_nm: Annotated[float, msgspec.Meta(ge=1, le=500)] = 50


def is_loopback(host: str) -> bool:
    """Whether an address reaches this machine only, so that the API may do without TLS."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def split_listen(text: str, *, field: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT``.

    Raises:
        UsageError: ``listen-malformed``.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(
            "listen-malformed",
            f"{field} is {shown(text)}; it must be HOST:PORT, such as 127.0.0.1:4710",
            field=field,
        )
    return host.strip("[]"), int(port)


def check_address(address: str, *, field: str) -> None:
    """Raise unless an address is one under which a node can be reached.

    Raises:
        UsageError: ``address-malformed`` or ``listen-malformed``.
    """
    if not address.startswith("https://"):
        raise UsageError(
            "address-malformed",
            f"{field.lstrip('-')} is {shown(address)}; it must be https://HOST:PORT",
            field=field,
        )
    split_listen(address.removeprefix("https://"), field=field)


class Home:
    """A node's directory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._directory: int | None = None
        if not (path / "config.toml").is_file():
            raise UsageError(
                "not-a-node",
                f"{str(path)!r} holds no config.toml; it must be a node's directory",
                hint="run: detente init DIR --party ID --name NAME",
            )
        try:
            self.config = msgspec.convert(
                tomllib.loads((path / "config.toml").read_text("utf-8")), Config
            )
            split_listen(self.config.listen, field="listen")
            split_listen(self.config.api, field="api")
            for party, address in self.config.alternates.items():
                check_address(address, field=f"alternates.{party}")
            names = [one.check()[0] for one in self.config.witness]
            if len(set(names)) != len(names):
                raise UsageError(
                    "witness-setting",
                    "a witness is there twice; it must be there once",
                    field="witness",
                )
        except OSError as error:
            raise UsageError(
                "config-unreadable",
                f"config.toml cannot be read: {error.strerror}; this user must be able to read it",
                field="config.toml",
            ) from None
        except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
            raise UsageError(
                "config-malformed", f"config.toml cannot be read: {error}", field="config.toml"
            ) from None

    def timestamp_roots(self) -> list[Certificate]:
        """What `[timestamp]` trusts; none where it names no certificate.

        Raises:
            UsageError: ``certificate-malformed`` or ``file-unreadable``.
        """
        settings = self.config.timestamp
        if settings is None or settings.certificate is None:
            return []
        field = "timestamp.certificate"
        try:
            pem = (self.path / settings.certificate).read_bytes()
        except OSError as error:
            raise UsageError(
                "file-unreadable",
                f"{field} is {shown(settings.certificate)}: {error.strerror}; it must be a PEM file",
                field=field,
            ) from None
        return parse_roots(pem, field=field)

    @property
    def database(self) -> Path:
        """The store's file."""
        return self.path / "detente.db"

    @property
    def socket(self) -> Path:
        """The local socket of a running node."""
        return self.path / "node.sock"

    def socket_address(self) -> str:
        """What to bind or connect to for the local socket.

        The system takes some 100 bytes; a longer path is reached through an open directory.

        Raises:
            UsageError: ``path-too-long``: this system cannot do that.
        """
        if len(os.fsencode(self.socket)) <= _SOCKET_PATH_BYTES:
            return str(self.socket)
        if not Path("/proc/self/fd").is_dir():
            raise UsageError(
                "path-too-long",
                f"{str(self.path)!r} is too long for a local socket; its path must be shorter",
                field="DIR",
            )
        if self._directory is None:
            self._directory = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return f"/proc/self/fd/{self._directory}/{self.socket.name}"

    @property
    def tls_chain(self) -> Path:
        """The node's TLS certificate and key, PEM."""
        return self.path / "keys" / "tls.pem"

    def seed(self, name: str) -> bytes:
        """A secret seed.

        Raises:
            UnavailableError: ``key-away``: the file is not here (the root may be kept offline).
            UsageError: ``key-open``: others can read it.
        """
        path = self.path / "keys" / f"{name}.seed"
        if not path.is_file():
            raise UnavailableError(
                "key-away",
                f"keys/{name}.seed is not in this directory; it must be for this",
                hint="bring the key file back for this step",
            )
        _check_closed(path)
        try:
            seed = path.read_bytes()
        except OSError as error:
            raise UsageError(
                "key-unreadable",
                f"keys/{name}.seed cannot be read: {error.strerror}; the node's own user must run this",
            ) from None
        if len(seed) != _SEEDS[name]:
            raise UsageError(
                "key-malformed",
                f"keys/{name}.seed has {len(seed)} bytes; it must have {_SEEDS[name]}",
                hint="bring the key file back from a backup",
            )
        return seed

    def check_tls(self) -> None:
        """Raise unless the TLS certificate and key are here and nobody else's to read.

        Raises:
            UnavailableError: ``key-away``. UsageError: ``key-open``.
        """
        if not self.tls_chain.is_file():
            raise UnavailableError(
                "key-away",
                "keys/tls.pem is not in this directory; it must be for this",
                hint="bring the file back from a backup",
            )
        _check_closed(self.tls_chain)

    def card(self) -> Card:
        """This node's own card."""
        return read_card(self.path / "card.json")

    def root_signer(self) -> SigningKeys:
        """The root key, if it is here."""
        return SigningKeys.from_seed(self.seed("root"))

    def identity(self) -> Identity:
        """The keys this node acts with; the root is not among them."""
        transport = Ed25519PrivateKey.from_private_bytes(self.seed("transport"))
        return Identity(
            party=self.config.party,
            signer=SigningKeys.from_seed(self.seed("signing")),
            opener=self._opener(),
            leaf_seed=self.seed("leaf"),
            transport_key=transport_key_id(transport),
            sign_transport=transport.sign,
            certificates=self._certificates(),
        )

    def _certificates(self) -> tuple[dict[str, Any], ...]:
        """Those on the card, which is replaced with each key."""
        path = self.path / "card.json"
        return tuple(one.signed for one in self.card().certificates) if path.is_file() else ()

    def _opener(self) -> Opener:
        """The sealing key in use; beside it the next one and those before, to which others may have sealed."""
        keys = self.path / "keys"
        others = [keys / "next" / "sealing.seed", *sorted((keys / "old").glob("sealing-*.seed"))]
        seeds = [one.read_bytes() for one in others if one.is_file()]
        current = SealingKeys.from_seed(self.seed("sealing"))
        return SealingRing(current, *map(SealingKeys.from_seed, seeds)) if seeds else current

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the store alone: two processes on one directory would tell two stories.

        Raises:
            UnavailableError: ``directory-in-use``.
        """
        handle = os.open(self.path / "node.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                holder = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
                raise UnavailableError(
                    "directory-in-use",
                    f"{str(self.path)!r} is in use by process {holder or 'unknown'}; one directory must have one node",
                    hint="stop the other process, or use its directory through the running node",
                ) from None
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
            yield
        finally:
            os.close(handle)


def _check_closed(path: Path) -> None:
    if path.stat().st_mode & 0o077:
        raise UsageError(
            "key-open",
            f"keys/{path.name} can be read by others; it must be readable by its owner only",
            hint=f"chmod 600 keys/{path.name}",
        )


def transport_key_id(key: Ed25519PrivateKey) -> str:
    """The id of a transport key."""
    return PublicKeys(key.public_key().public_bytes_raw(), b"").key_id


def init_home(
    path: Path,
    *,
    party: str,
    name: str,
    role: str,
    listen: str,
    api: str | None = None,
    address: str | None = None,
    valid_from_us: int | None = None,
) -> Home:
    """Make a node's directory: keys, certificates, card, settings, empty store.

    Args:
        address: ``https://HOST:PORT`` under which others reach `listen`; goes into the card.
        valid_from_us: from when the keys count; for exercises on a declared clock. Default: a day ago.

    Raises:
        UsageError: the directory holds a node already, or a value breaks its rule.
    """
    check_party_id(party, field="--party")
    if role not in ROLES:
        raise UsageError(
            "role-unknown",
            f"role is {shown(role)}; it must be one of {', '.join(ROLES)}",
            field="--role",
        )
    if not 1 <= len(name) <= NAME_CHARS or not name.isprintable():
        raise UsageError(
            "name-malformed",
            f"name is {shown(name)}; it must have 1 to {NAME_CHARS} printable characters",
            field="--name",
        )
    host, port = split_listen(listen, field="--listen")
    if address is None:
        if host in ("0.0.0.0", "::"):
            raise UsageError(
                "address-missing",
                f"listen is {listen!r}, every address of this machine; the card must name one that others reach",
                hint="add: --address https://HOST:PORT",
                field="--address",
            )
        shown_host = f"[{host}]" if ":" in host else host
        address = f"https://{shown_host}:{port}"
    check_address(address, field="--address")
    api = api or f"127.0.0.1:{port + 1}"
    split_listen(api, field="--api")
    if (path / "config.toml").exists():
        raise UsageError(
            "node-exists", f"{str(path)!r} holds a node already; it must be a new directory"
        )
    keys = path / "keys"
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.chmod(0o700)
    keys.chmod(0o700)
    for one, size in _SEEDS.items():
        handle = os.open(keys / f"{one}.seed", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(os.urandom(size))
    root_seed, transport_seed = (
        (keys / "root.seed").read_bytes(),
        (keys / "transport.seed").read_bytes(),
    )
    root_ed25519 = Ed25519PrivateKey.from_private_bytes(root_seed[:32])
    transport = Ed25519PrivateKey.from_private_bytes(transport_seed)
    authority = tls.make_authority(root_ed25519, party, tls.now_utc())
    leaf = tls.make_leaf(root_ed25519, authority, transport, party, tls.now_utc())
    tls.write_pem(keys / "tls.pem", leaf, authority, transport)
    root = SigningKeys.from_seed(root_seed)
    signing = SigningKeys.from_seed((keys / "signing.seed").read_bytes()).public
    sealing = SealingKeys.from_seed((keys / "sealing.seed").read_bytes()).public
    start_us = real_us() - 86_400 * US_PER_S if valid_from_us is None else valid_from_us
    until_us = real_us() + KEY_DAYS * 86_400 * US_PER_S
    publics: tuple[tuple[Any, str, dict[str, Any]], ...] = (
        ("signing", signing.key_id, dict(signing.to_json())),
        ("sealing", sealing.key_id, dict(sealing.to_json())),
        (
            "transport",
            transport_key_id(transport),
            {"ed25519": encode_base64url(transport.public_key().public_bytes_raw())},
        ),
    )
    certificates = [
        issue_certificate(
            root,
            party=party,
            use=use,
            key_id=key_id,
            key=key,
            serial=1,
            valid_from_us=start_us,
            valid_until_us=until_us,
        )
        for use, key_id, key in publics
    ]
    card = issue_card(
        root,
        party=party,
        name=name,
        role=role,
        address=address,
        tls_ca=encode_base64url(authority.public_bytes(Encoding.DER)),
        certificates=certificates,
        issued_us=real_us(),
    )
    write_json(path / "card.json", card)
    (path / "log").mkdir(mode=0o700, exist_ok=True)
    quoted = {
        key: json.dumps(value, ensure_ascii=False)
        for key, value in (("party", party), ("name", name), ("listen", listen), ("api", api))
    }
    (path / "config.toml").write_text(_CONFIG.format(role=role, **quoted), "utf-8")
    return Home(path)


def write_json(path: Path, value: object) -> None:
    """Write JSON for people and machines: indented, whole file or nothing."""
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(
        json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8"
    )
    temporary.replace(path)


def read_json(path: Path, *, field: str) -> Any:
    """JSON from a file.

    Raises:
        UsageError: ``file-unreadable``.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            "file-unreadable",
            f"{str(path)!r} cannot be read: {error}; it must be a JSON file",
            field=field,
        ) from None


def read_card(path: Path) -> Card:
    """A card from a file, verified.

    Raises:
        UsageError: unreadable or not a valid card.
    """
    try:
        return parse_card(read_json(path, field="card"))
    except PeerError as error:
        raise UsageError(
            "card-invalid",
            f"{str(path)!r}: {error}; it must be a card whose signatures verify",
            field="card",
        ) from None
