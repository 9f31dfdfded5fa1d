"""Trust policies: the form of C2SP, and what makes a quorum."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.errors import DetenteError, RefusedError, UsageError
from detente.ledger.cosignature import cosigner_keys
from detente.ledger.note import ED25519_COSIGNATURE, ED25519_NOTE, NoteKey
from detente.ledger.policy import check_quorum, format_policy, parse_policy
from detente.signing.key import SigningKeys

POINTS = [SigningKeys.from_seed(bytes([n]) * 64).public.ed25519 for n in range(72)]
KEYS = [NoteKey(f"w{n}", ED25519_COSIGNATURE, POINTS[n]) for n in range(40)]
X = "".join(f"witness X{n} {KEYS[n].format()}\n" for n in (1, 2, 3))
Y = "".join(f"witness Y{n} {KEYS[n + 3].format()}\n" for n in (1, 2, 3))
LOG = NoteKey("log", ED25519_NOTE, POINTS[71])
EXAMPLE = f"""# as in the specification
log {LOG.format()} \thttps://log.example/

{X}group X-witnesses 2 X1 X2 X3
{Y}group Y-witnesses any Y1 Y2 Y3
  group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def test_quorum_of_the_specification() -> None:
    """L-POL-1: two of X and one of Y make the quorum; fewer do not, and strangers count for nothing."""
    policy = parse_policy(EXAMPLE.encode())
    assert policy.logs == {LOG: "https://log.example/"}
    check_quorum(policy, {KEYS[1], KEYS[3], KEYS[5]})
    for few in ({KEYS[1], KEYS[5]}, {KEYS[1], KEYS[2], KEYS[3]}, set(), {KEYS[20], KEYS[21]}):
        with pytest.raises(RefusedError) as caught:
            check_quorum(policy, few)
        assert caught.value.rule == "quorum-missing"
    check_quorum(parse_policy(b"quorum none\n"), ())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "quorum none",
        "quorum none\r\n",
        "quorum none\n\x00\n",
        "quorum none\n\x7f\n",
        "quorum none\nquorum none\n",
        "quorum X1\n" + X,
        X + "quorum X4\n",
        X + f"witness X1 {KEYS[9].format()}\nquorum none\n",
        X + f"witness other {KEYS[1].format()}\nquorum none\n",
        X + f"witness other {NoteKey('z', 4, KEYS[1].public).format()}\nquorum none\n",
        f"witness none {KEYS[1].format()}\nquorum none\n",
        f"log {LOG.format()}\nlog {LOG.format()}\nquorum none\n",
        f"log {KEYS[1].format()}\nquorum none\n",
        f"witness W {LOG.format()}\nquorum none\n",
        X + "group G 0 X1\nquorum G\n",
        X + "group G 2 X1\nquorum G\n",
        X + "group G -1 X1\nquorum G\n",
        X + "group G any X1 X1\nquorum G\n",
        X + "group G any none\nquorum G\n",
        X + "group G any H\ngroup H any X1\nquorum G\n",
        X + "group G any\nquorum none\n",
        X + "group X1 any X2\nquorum none\n",
        "quorum none none\n",
        "nonsense\nquorum none\n",
    ],
)
def test_policy_of_another_form_is_refused(text: str) -> None:
    """L-POL-2: one quorum, names defined before, no duplicate name, key or member, these octets only."""
    with pytest.raises(UsageError) as caught:
        parse_policy(text.encode())
    assert caught.value.code == "policy-malformed"


def test_policy_names_are_octets() -> None:
    """L-POL-3: K and the Kelvin sign are two names, and bytes that are no UTF-8 are one as well."""
    k, kelvin, raw = b"K", b"\xe2\x84\xaa", b"\xff"
    lines = [
        b"witness %s %s\n" % (name, KEYS[n].format().encode())
        for n, name in enumerate((k, kelvin, raw))
    ]
    policy = parse_policy(b"".join(lines) + b"quorum \xff\n")
    assert len(policy.witnesses) == 3
    check_quorum(policy, {KEYS[2]})


def test_policy_of_32_of_each_is_read() -> None:
    """L-POL-4: 32 logs, 32 witnesses and 32 groups are within our limits."""
    text = "".join(
        f"log {NoteKey(f'l{n}', ED25519_NOTE, POINTS[n + 40]).format()}\n"
        f"witness w{n} {KEYS[n].format()}\ngroup g{n} all w{n}\n"
        for n in range(32)
    )
    assert len(parse_policy((text + "quorum g31\n").encode()).groups) == 32


def test_policy_written_for_an_agreement_is_read_back(
    north: SigningKeys, south: SigningKeys
) -> None:
    """L-POL-5: a witness counts with both of its keys and with neither alone."""
    witnesses = {"detente/un": south.public}
    text = format_policy({"detente/north/log/1": north.public}, witnesses, 1)
    policy = parse_policy(text.encode())
    both = cosigner_keys("detente/un", south.public)
    check_quorum(policy, both)
    for one in both:
        with pytest.raises(RefusedError):
            check_quorum(policy, {one})
    check_quorum(parse_policy(format_policy({}, witnesses, 0).encode()), ())
    with pytest.raises(UsageError):
        format_policy({}, witnesses, 2)


@given(st.binary(max_size=200) | st.text("logwitnesgroupqum \n\t0all#", max_size=200))
def test_policy_of_any_bytes_is_read_or_refused(data: bytes | str) -> None:
    """L-POL-2: whatever comes, the answer is a policy or an error of ours."""
    with contextlib.suppress(DetenteError):
        parse_policy(data if isinstance(data, bytes) else data.encode())
