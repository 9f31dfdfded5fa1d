"""A trust policy: which logs, which witnesses, and how many of them make a checkpoint count.

A text that any C2SP tool reads. A witness of ours has two keys, so it is two witnesses in a group `all`.
Names are bytes without a meaning of their own; they are kept as text by surrogate escapes.

Source: C2SP tlog-policy at 5ba5ee830903e91240fc6f9f3a7a9293d49e69c9.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import msgspec

from detente.errors import RefusedError, UsageError, shown
from detente.ledger.cosignature import cosigner_keys
from detente.ledger.note import (
    ED25519_COSIGNATURE,
    ED25519_NOTE,
    MLDSA44_COSIGNATURE,
    NoteKey,
    parse_vkey,
)
from detente.limits import POLICY_BYTES, POLICY_LINES_OF_A_KIND
from detente.signing.key import STRICT, PublicKeys

NONE = "none"
_ALLOWED = bytes([0x09, 0x0A, *range(0x20, 0x7F), *range(0x80, 0x100)])
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


class Group(msgspec.Struct, frozen=True):
    """So many of these members, each a witness or another group."""

    least: int
    members: tuple[str, ...]


class Policy(msgspec.Struct, frozen=True):
    """A parsed policy.

    Args:
        logs: keys of known logs, under their origins; a URL or an empty text for each.
        witnesses: keys by name; the name means nothing outside the file.
        groups: in the order they were defined, so that members come before those that name them.
        quorum: a witness, a group, or ``none``.
    """

    logs: Mapping[NoteKey, str]
    witnesses: Mapping[str, NoteKey]
    groups: Mapping[str, Group]
    quorum: str


def parse_policy(data: bytes) -> Policy:
    """The policy of a file.

    Raises:
        UsageError: `policy-malformed`, with the line. PeerError: `vkey-malformed`, `key-weak`.
    """
    if len(data) > POLICY_BYTES or data.translate(None, _ALLOWED):
        raise _malformed(0, "too long or with a control character", "tabs, newlines and text only")
    if data and not data.endswith(b"\n"):
        raise _malformed(data.count(b"\n") + 1, "without its newline", "ended by one")
    reading = _Reading()
    for number, line in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), 1):
        words = [word for word in re.split(r"[ \t]+", line) if word]
        if words and not words[0].startswith("#"):
            reading.take(number, words)
    if reading.quorum is None:
        raise _malformed(0, "without a quorum line", "with exactly one")
    return Policy(reading.logs, reading.witnesses, reading.groups, reading.quorum)


def check_quorum(policy: Policy, cosigned: Collection[NoteKey]) -> None:
    """Raise unless the keys whose cosignatures verified satisfy the quorum.

    Args:
        cosigned: keys under which a line of the checkpoint was verified; others count for nothing.

    Raises:
        RefusedError: `quorum-missing`, naming the witnesses that have not cosigned.
    """
    met = {name: key in cosigned for name, key in policy.witnesses.items()}
    for name, group in policy.groups.items():
        met[name] = sum(met[member] for member in group.members) >= group.least
    if policy.quorum != NONE and not met[policy.quorum]:
        lacking = ", ".join(shown(name) for name in policy.witnesses if not met[name])
        raise RefusedError(
            "quorum-missing",
            f"checkpoint lacks the quorum {shown(policy.quorum)} ({lacking} did not cosign); "
            "it must have it",
        )


def format_policy(
    logs: Mapping[str, PublicKeys], witnesses: Mapping[str, PublicKeys], quorum: int
) -> str:
    """The policy of an agreement, as text: each log and witness under both of its keys.

    Args:
        logs: public keys by origin.
        witnesses: public keys by cosigner name.
        quorum: how many of the witnesses; 0 for none.

    Raises:
        UsageError: `policy-quorum`: more than there are.
    """
    if not 0 <= quorum <= len(witnesses):
        raise UsageError("policy-quorum", f"quorum is {quorum}; it must be in 0..{len(witnesses)}")
    lines = []
    for origin, public in sorted(logs.items()):
        for kind, raw in ((ED25519_NOTE, public.ed25519), (MLDSA44_COSIGNATURE, public.mldsa44)):
            lines.append(f"log {NoteKey(origin, kind, raw).format()}")
    for name, public in sorted(witnesses.items()):
        ed25519, mldsa44 = cosigner_keys(name, public)
        lines.append(f"witness {name}/ed25519 {ed25519.format()}")
        lines.append(f"witness {name}/mldsa44 {mldsa44.format()}")
        lines.append(f"group {name} all {name}/ed25519 {name}/mldsa44")
    if quorum:
        lines.append(f"group witnesses {quorum} {' '.join(sorted(witnesses))}")
    lines.append(f"quorum {'witnesses' if quorum else NONE}")
    return "\n".join(lines) + "\n"


class _Reading:
    """What the lines so far have defined."""

    def __init__(self) -> None:
        self.logs: dict[NoteKey, str] = {}
        self.witnesses: dict[str, NoteKey] = {}
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None

    def take(self, number: int, words: list[str]) -> None:
        """One line that is neither empty nor a comment."""
        kind, rest = words[0], words[1:]
        if kind == "log" and len(rest) in (1, 2):
            key = self._key(number, rest[0], (ED25519_NOTE, MLDSA44_COSIGNATURE), self.logs)
            self.logs[key] = rest[1] if len(rest) == 2 else ""
        elif kind == "witness" and len(rest) in (2, 3):
            types = (ED25519_COSIGNATURE, MLDSA44_COSIGNATURE)
            self._define(number, rest[0])
            key = self._key(number, rest[1], types, self.witnesses.values())
            self.witnesses[rest[0]] = key
        elif kind == "group" and len(rest) >= 3:
            self._define(number, rest[0])
            self.groups[rest[0]] = self._group(number, rest[1], tuple(rest[2:]))
        elif kind == "quorum" and len(rest) == 1 and self.quorum is None:
            if rest[0] != NONE and not self._known(rest[0]):
                raise _malformed(number, f"of {shown(rest[0])}", "of a name defined before")
            self.quorum = rest[0]
        else:
            raise _malformed(number, shown(" ".join(words)), "log, witness, group or one quorum")
        for table in (self.logs, self.witnesses, self.groups):
            if len(table) > POLICY_LINES_OF_A_KIND:
                raise _malformed(number, "one too many", f"one of {POLICY_LINES_OF_A_KIND}")

    def _known(self, name: str) -> bool:
        return name in self.witnesses or name in self.groups

    def _define(self, number: int, name: str) -> None:
        if name == NONE or self._known(name):
            raise _malformed(number, f"of {shown(name)} again", "of a new name, not none")

    @staticmethod
    def _key(number: int, text: str, kinds: tuple[int, ...], known: Collection[NoteKey]) -> NoteKey:
        key = parse_vkey(text)
        if key.kind != MLDSA44_COSIGNATURE:
            STRICT.check_point(key.public)  # what counts for one library must count for all
        # the same key under another name or type is the same witness twice
        if key.kind not in kinds or any(one.public == key.public for one in known):
            raise _malformed(number, "of a key of another use, or there already", "of a new key")
        return key

    def _group(self, number: int, least: str, members: tuple[str, ...]) -> Group:
        if len(set(members)) != len(members) or not all(map(self._known, members)):
            raise _malformed(number, "of members twice or unknown", "of names defined before")
        count = len(members)
        wanted = {"all": count, "any": 1}.get(least)
        if wanted is None and _NUMBER.fullmatch(least):
            wanted = int(least)
        if wanted is None or not 1 <= wanted <= count:
            raise _malformed(number, f"of {shown(least)}", f"of all, any or 1 to {count}")
        return Group(wanted, members)


def _malformed(number: int, what: str, rule: str) -> UsageError:
    where = f"line {number} of the policy" if number else "policy"
    return UsageError("policy-malformed", f"{where} is {what}; it must be {rule}")
