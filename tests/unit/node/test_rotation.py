"""Keys beside those in use: prepared once, taken at their time, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from detente.agreement.card import parse_certificate
from detente.errors import PeerError, UsageError
from detente.node import rotation
from detente.node.home import Home, init_home
from detente.signing.sealing import HPKE, SealingKeys, SealingRing, parse_sealing_public_key
from detente.units import US_PER_S

NOW_US = 1_800_000_000 * US_PER_S


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A party's new directory."""
    return init_home(tmp_path / "n", party="north", name="N", role="party", listen="127.0.0.1:4710")


def core(*known: str) -> Any:
    """A core that has these certified keys on record."""
    return SimpleNamespace(
        identity=SimpleNamespace(party="north"),
        intents={},
        state=SimpleNamespace(
            keys=SimpleNamespace(certificates={"north": dict.fromkeys(known, None)})
        ),
    )


def test_prepared_key_is_taken_at_its_time_and_once_it_is_on_record(home: Home) -> None:
    """K-ROT-1: not before its time, and never without a certificate that peers are told of."""
    found = rotation.prepare(home, "signing", 2, NOW_US)
    key = found["document"]["key_id"]
    before = home.seed("signing")
    assert rotation.take_next(home, core(key), NOW_US - 1) == []
    assert rotation.take_next(home, core(), NOW_US) == []
    assert home.seed("signing") == before
    assert rotation.take_next(home, core(key), NOW_US) == [("signing", key)]
    assert home.identity().signer.public.key_id == key
    assert rotation.take_next(home, core(key), NOW_US) == []
    parse_certificate(found, party="north", root=home.root_signer().public, field="c")


def test_second_key_beside_one_that_waits_is_refused_until_it_is_taken_back(home: Home) -> None:
    """There is one next key of a use; nothing is left of one that was given up."""
    rotation.prepare(home, "transport", 2, NOW_US)
    with pytest.raises(UsageError) as caught:
        rotation.prepare(home, "transport", 3, NOW_US)
    assert caught.value.code == "rotation-waiting"
    rotation.forget(home, "transport")
    assert list((home.path / "keys" / "next").iterdir()) == []
    rotation.prepare(home, "transport", 3, NOW_US)
    with pytest.raises(UsageError) as caught:
        rotation.check_use("root")
    assert caught.value.code == "use-unknown"


def test_key_half_taken_when_the_program_died_is_taken_in_the_next_look(home: Home) -> None:
    """A crash between two files costs nothing: the rest follows."""
    found = rotation.prepare(home, "sealing", 2, NOW_US)
    key = found["document"]["key_id"]
    folder = home.path / "keys" / "next"
    (folder / "sealing.seed").replace(home.path / "keys" / "sealing.seed")
    assert rotation.take_next(home, core(key), NOW_US) == [("sealing", key)]
    assert home.identity().opener.public.key_id == key


def test_sealed_message_to_the_key_before_or_after_opens(home: Home) -> None:
    """K-ROT-2: what was sealed to an older key, or early to the next one, is not lost."""
    info = b"detente:seal:v1\nsouth>north"
    first = SealingKeys.from_seed(home.seed("sealing")).public
    found = rotation.prepare(home, "sealing", 2, NOW_US)["document"]
    second = parse_sealing_public_key(found["key"])
    sealed = {one.key_id: HPKE.seal(one, b"text", info) for one in (first, second)}
    early = home.identity().opener
    assert early.public == first
    rotation.take_next(home, core(found["key_id"]), NOW_US)
    late = home.identity().opener
    assert late.public == second
    for ring in (early, late):
        assert [ring.open(one, info) for one in sealed.values()] == [b"text", b"text"]
    stranger = SealingKeys.from_seed(bytes(range(96)))
    with pytest.raises(PeerError):
        SealingRing(stranger, stranger).open(sealed[first.key_id], info)


def test_renewed_card_has_the_newest_two_keys_of_each_use(home: Home) -> None:
    """The card that a later agreement takes in names keys that are in use."""
    for serial in (2, 3, 4):
        found = rotation.prepare(home, "signing", serial, NOW_US)
        rotation.renew_card(home, found)
        rotation.forget(home, "signing")
    card = home.card()
    assert sorted(c.serial for c in card.certificates if c.use == "signing") == [3, 4]
    assert sum(c.use == "transport" for c in card.certificates) == 1
    assert card.root == home.root_signer().public
