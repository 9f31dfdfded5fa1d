"""DIR: made once, read with care, held alone."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from detente.errors import DetenteError, UnavailableError, UsageError
from detente.node.home import Home, init_home, read_card, read_json, split_listen, write_json


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A party's new directory."""
    return init_home(
        tmp_path / "n", party="north", name='No"rth \\ Ω', role="party", listen="127.0.0.1:4710"
    )


def test_new_directory_reads_back_as_it_was_made(home: Home) -> None:
    """Settings, card and keys of a new directory fit together, whatever is in the name."""
    assert home.config.name == 'No"rth \\ Ω'
    assert (home.config.listen, home.config.api) == ("127.0.0.1:4710", "127.0.0.1:4711")
    card, identity = home.card(), home.identity()
    assert (card.party, card.root) == ("north", home.root_signer().public)
    assert identity.party == "north"
    assert home.config == Home(home.path).config


def test_config_explains_every_setting(home: Home) -> None:
    """Every setting in config.toml stands under a comment."""
    lines = (home.path / "config.toml").read_text().splitlines()
    for i, line in enumerate(lines):
        if "=" in line and not line.startswith("#"):
            block = lines[max(0, i - 4) : i]
            assert any(one.startswith("#") for one in block), line
    settings = {line.split(" =")[0] for line in lines if " = " in line and line[0] != "#"}
    # tables are off until somebody names an address
    settings |= {line.strip("# []") for line in lines if line.startswith("# [")}
    assert settings == set(type(home.config).__struct_fields__)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"party": "North"}, "--party"),
        ({"party": ""}, "--party"),
        ({"party": "a/b"}, "--party"),
        ({"name": ""}, "--name"),
        ({"name": "a\nb"}, "--name"),
        ({"name": "x" * 65}, "--name"),
        ({"role": "boss"}, "--role"),
        ({"listen": "4710"}, "--listen"),
        ({"listen": "127.0.0.1:0"}, "--listen"),
        ({"listen": "127.0.0.1:65536"}, "--listen"),
        ({"listen": ":4710"}, "--listen"),
        ({"api": "nowhere"}, "--api"),
    ],
)
def test_value_that_breaks_its_rule_is_named_and_nothing_is_made(
    tmp_path: Path, change: dict[str, str], field: str
) -> None:
    """A wrong option is refused with its name before a single key is drawn."""
    options = {"party": "north", "name": "N", "role": "party", "listen": "127.0.0.1:4710"}
    with pytest.raises(UsageError) as caught:
        init_home(tmp_path / "n", **{**options, **change})  # type: ignore[arg-type]
    assert caught.value.field == field
    assert "must" in caught.value.message
    assert not (tmp_path / "n").exists()


def test_directory_that_holds_a_node_is_never_made_anew(home: Home) -> None:
    """Making a node where there is one is refused, and its keys stay."""
    before = (home.path / "keys" / "root.seed").read_bytes()
    with pytest.raises(UsageError) as caught:
        init_home(home.path, party="south", name="S", role="party", listen="127.0.0.1:4712")
    assert caught.value.code == "node-exists"
    assert (home.path / "keys" / "root.seed").read_bytes() == before


def test_directory_with_half_a_node_keeps_its_keys(tmp_path: Path) -> None:
    """Keys without settings (an interrupted start) are not overwritten by a new init."""
    keys = tmp_path / "n" / "keys"
    keys.mkdir(parents=True)
    (keys / "root.seed").write_bytes(b"precious")
    with pytest.raises((UsageError, FileExistsError)):
        init_home(tmp_path / "n", party="n", name="N", role="party", listen="127.0.0.1:4710")
    assert (keys / "root.seed").read_bytes() == b"precious"


def test_root_key_may_be_away(home: Home) -> None:
    """The node acts without its root key; only what needs the root says that it is away."""
    (home.path / "keys" / "root.seed").unlink()
    home.identity()
    with pytest.raises(UnavailableError) as caught:
        home.root_signer()
    assert caught.value.code == "key-away"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_key_that_others_can_read_is_refused(home: Home, mode: int) -> None:
    """Any right of group or others on a key file is too much."""
    (home.path / "keys" / "signing.seed").chmod(mode)
    with pytest.raises(UsageError) as caught:
        home.identity()
    assert caught.value.code == "key-open"
    (home.path / "keys" / "signing.seed").chmod(0o400)
    home.identity()


def test_key_of_the_wrong_length_is_refused(home: Home) -> None:
    """A key file cut short is named; no other key is made from what is left."""
    path = home.path / "keys" / "signing.seed"
    path.write_bytes(path.read_bytes()[:32])
    with pytest.raises(UsageError) as caught:
        home.identity()
    assert (caught.value.code, "signing.seed" in caught.value.message) == ("key-malformed", True)


def test_lock_is_held_by_one(home: Home) -> None:
    """A second holder is refused with the first one's process id; afterwards the lock is free."""
    with home.lock():
        with pytest.raises(UnavailableError) as caught, Home(home.path).lock():
            pass
        assert caught.value.code == "directory-in-use"
        assert str(os.getpid()) in caught.value.message
    with Home(home.path).lock():
        pass


@pytest.mark.parametrize(
    "line",
    [
        *(
            "heartbeat_s = 0",
            "retry_most_s = -1",
            "log_files = 0",
            "log_megabytes = nan",
            "desk = 7",
        ),
        'alternates = { south = "http://127.0.0.1:1" }',
        'alternates = { south = "https://127.0.0.1" }',
        "alternates = { south = 7 }",
    ],
)
def test_setting_out_of_its_range_is_refused(home: Home, line: str) -> None:
    """A setting that would make the node spin or never write is refused when it is read."""
    path = home.path / "config.toml"
    name = line.split(" =")[0]
    lines = [line if one.startswith(f"{name} =") else one for one in path.read_text().splitlines()]
    path.write_text("\n".join(lines))
    with pytest.raises(UsageError) as caught:
        Home(home.path)
    assert name in caught.value.message


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("127.0.0.1:1", ("127.0.0.1", 1)),
        ("[::1]:4710", ("::1", 4710)),
        ("node.example:65535", ("node.example", 65535)),
    ],
)
def test_listen_is_read(text: str, found: tuple[str, int]) -> None:
    """Names, IPv4 and bracketed IPv6 addresses with a port."""
    assert split_listen(text, field="listen") == found


def test_json_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """A write that fails leaves the file that was there."""
    path = tmp_path / "x.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\x00", "nan nan"])
def test_file_that_is_no_json_is_named(tmp_path: Path, text: str) -> None:
    """Whatever is wrong with a file, the answer is an error of ours with its name."""
    path = tmp_path / "card.json"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_json(path, field="card")
    assert "card.json" in caught.value.message


def test_card_with_one_letter_changed_is_refused(home: Home) -> None:
    """A card is signed: nobody can change a name in it on the way."""
    path = home.path / "card.json"
    path.write_text(path.read_text().replace("north", "nortn"))
    with pytest.raises(DetenteError):
        read_card(path)


def test_long_path_is_reached_through_an_open_directory(tmp_path: Path) -> None:
    """The local socket's address is short however deep the directory lies."""
    deep = tmp_path / ("d" * 120)
    home = init_home(deep, party="n", name="N", role="party", listen="127.0.0.1:4710")
    address = home.socket_address()
    assert len(address) < 100
    (deep / "node.sock").touch()
    assert Path(address).exists()
