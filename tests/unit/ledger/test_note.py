"""The signed note, read strictly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.errors import PeerError, UsageError
from detente.ledger.note import (
    NOTE_BYTES,
    NOTE_LINES_MOST,
    Note,
    NoteKey,
    NoteSignature,
    check_key_name,
    find_lines,
    is_key_name,
    parse_note,
    parse_vkey,
)
from detente.signing.key import STRICT, PublicKeys, SigningKeys

# The example of C2SP signed-note.
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONn"
    "cAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
LINE = "— name AAAAAAA=\n"


def test_note_specification_example_verifies() -> None:
    """The example key of the specification verifies its example note."""
    key, note = parse_vkey(VKEY), parse_note(NOTE)
    assert (key.name, key.kind, key.format()) == ("example.com/foo", 1, VKEY)
    assert note.text == "This is an example message.\n"
    assert note.format() == NOTE
    (line,) = find_lines(note, key)
    STRICT.verify_ed25519(PublicKeys(key.public, b""), note.text.encode(), line.signature)


def test_note_text_with_empty_lines_splits_at_the_last() -> None:
    """The text may hold empty lines; the last one parts it from the signatures."""
    note = parse_note(f"a\n\nb\n\n{LINE}")
    assert note.text == "a\n\nb\n"
    assert note.signatures == (NoteSignature("name", bytes(4), bytes(1)),)


names = st.text(min_size=1, max_size=20).filter(is_key_name)
lines = st.builds(
    NoteSignature, names, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=70)
)
texts = st.lists(
    st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"]), max_size=12), min_size=1
).map(lambda parts: "\n".join(parts) + "\n")


@given(texts, st.lists(lines, min_size=1, max_size=4))
def test_note_any_note_round_trips(text: str, signatures: list[NoteSignature]) -> None:
    """Whatever can be written is read back the same."""
    note = Note(text, tuple(signatures))
    assert parse_note(note.format()) == note


@given(st.text(alphabet="a\n— +=AB", max_size=40))
def test_note_any_text_parses_only_to_itself(text: str) -> None:
    """What parses writes back to the very same text."""
    try:
        note = parse_note(text)
    except PeerError:
        return
    assert note.format() == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n",
        "a\n\n",
        f"a\n{LINE}",
        f"a\n\n{LINE[:-1]}",
        f"a\n\n{LINE}x",
        f"a\r\n\n{LINE}",
        f"a\tb\n\n{LINE}",
        f"a\0\n\n{LINE}",
        f"\ud800\n\n{LINE}",
        "a\n\n- name AAAAAAA=\n",
        "a\n\n—name AAAAAAA=\n",
        "a\n\n— name  AAAAAAA=\n",
        "a\n\n—  AAAAAAA=\n",
        "a\n\n— na+me AAAAAAA=\n",
        "a\n\n— na\u2003me AAAAAAA=\n",
        "a\n\n— name AAAAAAA\n",
        "a\n\n— name AAAAAAB=\n",
        "a\n\n— name AAAA\n",
        "a\n\n— name AAAAAA==\n",
        "a\n\n— name AAAAAAA= \n",
        "a\n\n— name\n",
        "a\n\n" + "— name AAAAAAA=\n" * (NOTE_LINES_MOST + 1),
    ],
)
def test_note_malformed_text_is_refused(text: str) -> None:
    """L-NOTE-1: No signatures, control characters, other dashes, odd names and lax base64 are refused."""
    with pytest.raises(PeerError) as caught:
        parse_note(text)
    assert caught.value.code == "note-malformed"
    assert caught.value.evidence == text.encode("utf-8", "surrogatepass")


def test_note_limits_leave_room_for_every_signer() -> None:
    """L-NOTE-2: At least 16 signatures are accepted, as the specification demands, and a flood is not."""
    assert len(parse_note("a\n\n" + LINE * NOTE_LINES_MOST).signatures) == NOTE_LINES_MOST >= 16
    with pytest.raises(PeerError) as caught:
        parse_note("a" * NOTE_BYTES + f"\n\n{LINE}")
    assert caught.value.code == "note-too-large"


def test_vkey_every_kind_round_trips(north: SigningKeys) -> None:
    """L-NOTE-3: Keys of all three types survive their text, with ids that differ by type and name."""
    keys = [
        NoteKey("n", 1, north.public.ed25519),
        NoteKey("n", 4, north.public.ed25519),
        NoteKey("n", 6, north.public.mldsa44),
        NoteKey("m", 6, north.public.mldsa44),
    ]
    for key in keys:
        assert parse_vkey(key.format()) == key
    assert len({key.key_id for key in keys}) == 4


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/foo",
        VKEY.replace("530d903a", "530d903b"),
        VKEY.replace("530d903a", "530D903A"),
        VKEY.replace("530d903a", "0530d903a"),
        VKEY[:-4],
        VKEY + "AAAA",
        VKEY.replace("AekyeRrm", "AukyeRrm"),
        VKEY.replace("example.com/foo", ""),
        VKEY.replace("example.com/foo", "example com"),
    ],
)
def test_vkey_malformed_text_is_refused(text: str) -> None:
    """Other types, lengths, names and ids that are not the key's own are refused."""
    with pytest.raises(PeerError) as caught:
        parse_vkey(text)
    assert caught.value.code == "vkey-malformed"


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb", "a\x7f ", "x" * 256])
def test_key_name_odd_one_is_refused(name: str) -> None:
    """No spaces of any kind, no plus, no more than 255 bytes."""
    with pytest.raises(UsageError):
        check_key_name(name)


def test_vkey_with_a_name_that_is_no_utf8_is_refused() -> None:
    """L-NOTE-1: a name with a lone surrogate, as octets that are no UTF-8 become, stands in no note."""
    key = NoteKey("detente/north", 4, bytes(32))
    text = key.format().replace("detente", "\udce4etente")
    with pytest.raises(PeerError) as caught:
        parse_vkey(text)
    assert caught.value.code == "vkey-malformed"
