"""Time that can be argued: intervals that others' cosignatures give, in bundles of both versions."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from detente.errors import PeerError
from detente.ledger.checkpoint import parse_checkpoint, sign_checkpoint
from detente.ledger.cosignature import add_cosignature, cosign
from detente.ledger.merkle import leaf_hash
from detente.ledger.note import parse_note
from detente.protocol.bundle import MEMBERS, Verified, verify_bundle
from detente.protocol.bundlecopy import ReceivedBy
from detente.protocol.bundling import make_bundle
from detente.protocol.history import proof
from detente.protocol.interval import Head, find_contradictions, find_interval, lead_between
from detente.protocol.paper import decode_paper, encode_paper
from detente.protocol.question import ask
from detente.protocol.views import find_statements
from detente.signing.key import PublicKeys, parse_public_keys
from detente.simulation.node import SimNode, converse, cosign_newest, mirror
from detente.simulation.officer import random_notice
from detente.simulation.party import SIMULATED
from detente.simulation.room import Room
from detente.units import NANODEG_PER_DEG, US_PER_S, format_time, parse_time

VECTOR = Path(__file__).parents[2] / "vectors" / "bundle-1.json"
NOON_S = 1_537_185_600
DAY_US = 86_400 * US_PER_S


# -- the rule ------------------------------------------------------------------------------------


def at(second: int) -> str:
    """A time on that day as text."""
    return format_time((NOON_S + second) * US_PER_S)


LOG = "detente/south/log/1"
PARTIES = ("north", "south")


def holding(size: int, own: int, *seen: tuple[str, int]) -> Head:
    """A head of a log in which the entry is the one of index 5; seconds of the day."""
    return Head(LOG, size, NOON_S + own, size > 5, tuple((by, NOON_S + s) for by, s in seen))


def ends(*heads: Head) -> tuple[str | None, str | None, list[str]]:
    """Both ends, and by whom."""
    found = find_interval(NOON_S * US_PER_S, heads, PARTIES)
    return found.not_before, found.not_after, found.by


def test_interval_without_a_word_is_open_at_both_ends() -> None:
    """B-INT-2: An end that nobody else bounds is none; nothing is made up of the claim or of the log's own heads."""
    assert ends() == (None, None, [])
    assert ends(holding(4, 0), holding(9, 5)) == (None, None, [])
    assert find_interval(NOON_S * US_PER_S, [], ()).claimed == at(0)


def test_interval_takes_the_tightest_ends_and_rounds_outwards() -> None:
    """B-INT-2: The newest head without the entry and the oldest with it; a clock's second counts whole."""
    heads = [
        holding(3, 0, ("un", 0)),
        holding(5, 2, ("un", 2)),
        holding(6, 5, ("un", 5)),
        holding(9, 9, ("un", 9)),
    ]
    assert ends(*heads) == (at(2), at(6), ["un"])


def test_interval_of_an_old_head_cosigned_late_ends_at_the_time_of_that_head() -> None:
    """B-INT-6: South shows its head of noon an hour later; what came five minutes past noon did not come after one."""
    late = holding(5, 0, ("un", 3600))
    assert ends(late, holding(6, 300), holding(9, 4000, ("un", 4000))) == (at(0), at(4001), ["un"])


def test_interval_of_a_head_dated_ahead_ends_at_the_time_of_its_cosigner() -> None:
    """B-INT-6: a log that signs for tomorrow gets no later end than somebody else's clock gives."""
    assert ends(holding(5, 86_400, ("un", 7)))[0] == at(7)


def test_interval_of_a_log_that_contradicts_itself_has_no_early_end() -> None:
    """B-INT-7: a second head of old size and new time falls by the head in the receipt, which nobody cosigned."""
    heads = [holding(5, 3600, ("un", 3600)), holding(6, 300), holding(9, 4000, ("un", 4000))]
    assert ends(*heads) == (None, at(4001), ["un"])
    (sentence,) = find_contradictions(heads)
    assert LOG in sentence
    assert find_contradictions(heads[1:]) == []


def test_interval_of_a_cosigner_that_goes_back_has_no_early_end_by_it() -> None:
    """B-INT-7: who cosigned a larger head before has no word about a smaller one; the word of another stays."""
    heads = [holding(5, 200, ("east", 3600), ("un", 201)), holding(6, 300, ("east", 310))]
    assert ends(*heads) == (at(200), at(311), ["east", "un"])
    (sentence,) = find_contradictions(heads)
    assert sentence.startswith("east ")


def test_interval_contradiction_of_another_log_costs_nothing() -> None:
    """B-INT-7: the sizes and times of two logs are not compared."""
    other = Head("detente/north/log/1", 9, NOON_S - 50, holds=True)
    assert ends(holding(5, 0, ("un", 1)), other)[0] == at(0)


def test_interval_stamp_gives_a_late_end_and_no_early_one() -> None:
    """B-INT-6: that a head without the entry existed by then says nothing of when the entry came."""
    stamped = (("stamp", NOON_S + 8),)
    before = Head(LOG, 5, NOON_S, holds=False, stamped=stamped)
    after = Head(LOG, 6, NOON_S, holds=True, stamped=stamped)
    assert ends(before, after) == (None, at(9), ["stamp"])


def test_interval_word_of_an_interested_party_counts_only_where_nobody_else_speaks() -> None:
    """B-INT-3: South's tighter end does not stand beside that of the un; where only south speaks, it counts."""

    def told(party: str) -> tuple[str | None, str | None, list[str]]:
        return ends(holding(5, 3, (party, 3)), holding(6, 3, (party, 3), ("un", 5)))

    assert told("south") == (at(3), at(6), ["south", "un"])
    assert told("north") == (at(3), at(6), ["north", "un"])


def test_interval_of_a_time_that_is_no_date_is_not_used() -> None:
    """A cosigner who signs for the year 300,000 bounds nothing, and breaks nothing."""
    head = Head(LOG, 6, NOON_S, holds=True, cosigned=(("un", 2**62),))
    assert ends(head)[1] is None
    assert ends(Head(LOG, 5, 2**62, holds=False, cosigned=(("un", 2**62),)))[0] is None


def test_interval_of_clocks_that_contradict_says_so() -> None:
    """Two ends in the wrong order are two clocks that cannot both be right."""
    heads = [holding(5, 9, ("a", 9)), holding(6, 9, ("b", 0))]
    assert find_interval(0, heads, ()).contradicts


def test_lead_between_open_end_stays_open() -> None:
    """B-INT-5: lead time has no most where one receipt could be as early as you like."""
    start_us = (NOON_S + 100) * US_PER_S
    closed = ReceivedBy("a", at(1), "r", "delivered", None, at(0), at(2), ["un"])
    late = ReceivedBy("b", at(5), "r", "delivered", None, None, at(6), ["un"])
    assert lead_between(start_us, [closed]) == (98.0, 100.0)
    assert lead_between(start_us, [closed, late]) == (98.0, None)
    assert lead_between(start_us, []) is None


# -- in bundles ------------------------------------------------------------------------------------


class Scene:
    """East, who is told nothing, cosigns both logs before and after north tells south of A-1."""

    def __init__(self, late_s: int = 0) -> None:
        """`late_s`: how long after it was signed the first head of each log is cosigned."""
        self.room = Room(3)
        self.north, self.south, self.east = self.room.nodes()
        converse(self.north, self.south)
        for node in (self.north, self.south):
            node.act(lambda core, node=node: core.checkpoint(node.now_us()))
        self.before = self.east.now_us() // US_PER_S
        self.room.wait(late_s)
        self.cosigned()
        self.room.wait(3)
        notice = random_notice("A-1", self.room.chance, self.north.now_us(), exercise=True)
        self.north.run(
            lambda core: core.file_notice(
                notice, ("south",), self.north.now_us(), officer="o", desk="d"
            )
        )
        self.room.wait(3)
        converse(self.north, self.south)
        self.room.wait(3)
        self.after = self.cosigned()
        self.room.wait(30)
        self.roots: dict[str, PublicKeys] = {p.name: p.root.public for p in self.room.parties}

    def cosigned(self) -> int:
        """East cosigns both logs as they are; by its clock."""
        for node in (self.north, self.south):
            cosign_newest(node, self.east)
        return self.east.now_us() // US_PER_S

    def bundle(self, node: SimNode) -> bytes:
        """The bundle of the notice."""
        return make_bundle(node.running, find_statements(node.running, "north:A-1"))

    def verify(self, data: bytes) -> Verified:
        """What it proves."""
        return verify_bundle(data, self.roots, verifier=SIMULATED.verifier)


@functools.cache
def scene() -> Scene:
    """One scene for all tests here."""
    return Scene()


def text(time_s: int) -> str:
    """Seconds as text."""
    return format_time(time_s * US_PER_S)


def changed(change: Callable[[Any], None]) -> bytes:
    """North's bundle with its content changed, well-formed again."""
    content = decode_paper("bundle", scene().bundle(scene().north), MEMBERS, 2**25)
    change(content)
    return encode_paper("bundle", content)


def head(content: Any) -> Any:
    """The one head beside that of the proof in north's log."""
    (one,) = content["copies"][0]["logged"][0]["heads"]
    return one


def test_bundle_of_the_maker_bounds_its_own_log_by_a_third_party() -> None:
    """B-INT-1, B-INT-4: east saw north's log without and then with the statement, and these are the ends."""
    found = scene().verify(scene().bundle(scene().north))
    place = found.logged_at[0]
    assert place.log == "detente/north/log/1"
    assert place.not_before == text(scene().before)
    assert place.not_after == text(scene().after + 1)
    assert place.by == ["east"]
    assert place.not_before < place.logged < place.not_after
    assert found.made.not_before == place.not_before
    assert found.made.claimed == found.statement["claimed_time"]
    assert found.remarks == []


def test_bundle_of_the_maker_bounds_the_receipt_by_its_place_in_the_makers_log() -> None:
    """B-INT-4: south had the notice when its receipt stood in a head of north's log that east saw."""
    found = scene().verify(scene().bundle(scene().north))
    (receipt,) = found.received_by
    assert receipt.not_after == text(scene().after + 1)
    assert found.lead_time_between_s is not None
    assert found.lead_time_between_s[0] is not None
    assert found.lead_time_s is not None
    assert found.lead_time_between_s[0] <= found.lead_time_s


def test_bundle_of_the_addressee_bounds_when_it_received() -> None:
    """B-INT-4, B-INT-5: from south's own log both ends of its receipt come out, and so a lead time between two."""
    found = scene().verify(scene().bundle(scene().south))
    (receipt,) = found.received_by
    assert (receipt.not_before, receipt.not_after) == (
        text(scene().before),
        text(scene().after + 1),
    )
    assert receipt.by == ["east"]
    assert found.made.not_before is None  # south's log says nothing of when north's held it
    assert found.made.not_after == text(scene().after + 1)
    least, most = found.lead_time_between_s or (None, None)
    assert least is not None
    assert most is not None
    assert found.lead_time_s is not None
    assert least <= found.lead_time_s <= most
    assert most - least == scene().after + 1 - scene().before


def test_bundle_with_a_head_cosigned_late_has_the_time_of_that_head_as_early_end() -> None:
    """B-INT-6: an hour between a head and its cosignature takes nothing from anybody's lead time; the record says the same."""
    late = Scene(late_s=3600)
    for node in (late.north, late.south):
        found = late.verify(late.bundle(node))
        assert found.logged_at[0].not_before == text(late.before)
        assert found.remarks == []
        (one,) = proof(node.running, "north:A-1").statements
        assert (one.not_before, one.not_after) == (found.made.not_before, found.made.not_after)


def test_bundle_head_of_another_history_is_refused() -> None:
    """B-INT-1: a head that the log truly signed but that the proof's head does not extend bounds nothing."""
    north, east = scene().room.parties[0].identity, scene().room.parties[2].identity

    def fork(content: Any) -> None:
        size = parse_checkpoint(parse_note(head(content)["checkpoint"])).size
        note = sign_checkpoint(north.signer, "detente/north/log/1", size, b"x" * 32, NOON_S)
        lines = cosign(east.signer, "detente/east", parse_checkpoint(parse_note(note)), NOON_S)
        head(content)["checkpoint"] = note + lines

    with pytest.raises(PeerError, match="consistency"):
        scene().verify(changed(fork))


def test_bundle_head_of_another_log_is_refused() -> None:
    """B-INT-1: a head of south's log says nothing of north's."""
    theirs = decode_paper("bundle", scene().bundle(scene().south), MEMBERS, 2**25)

    def swap(content: Any) -> None:
        head(content)["checkpoint"] = head(theirs)["checkpoint"]

    with pytest.raises(PeerError):
        scene().verify(changed(swap))


CHANGES: dict[str, Callable[[Any], None]] = {
    "twice": lambda c: c["copies"][0]["logged"][0]["heads"].append(head(c)),
    "of-the-proof": lambda c: head(c).update(
        checkpoint=c["copies"][0]["logged"][0]["proof"]["checkpoint"], hashes=[]
    ),
    "hash-missing": lambda c: head(c)["hashes"].pop(),
    "hash-more": lambda c: head(c)["hashes"].append("A" * 43),
    "hash-text": lambda c: head(c).update(hashes=["no"]),
    "hashes-many": lambda c: head(c).update(hashes=["A" * 43] * 64),
    "note-number": lambda c: head(c).update(checkpoint=5),
    "member-more": lambda c: head(c).update(more=1),
    "not-cosigned": lambda c: head(c).update(
        checkpoint="\n".join(
            line
            for line in head(c)["checkpoint"].split("\n")
            if not line.startswith("\u2014 detente/east ")
        )
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_bundle_head_changed_is_refused(name: str) -> None:
    """B-INT-1: a head that is doubled, unproved, uncosigned or of another form spoils the bundle."""
    with pytest.raises(PeerError):
        scene().verify(changed(CHANGES[name]))


def test_bundle_head_cosigner_of_the_year_300000_costs_only_itself() -> None:
    """B-COS-1: whoever cosigns with an impossible time makes no evidence unreadable."""
    east = scene().room.parties[2].identity

    def late(content: Any) -> None:
        note = head(content)["checkpoint"]
        known = parse_checkpoint(parse_note(note))
        own = "".join(
            f"{line}\n" for line in note.splitlines() if not line.startswith("\u2014 detente/east ")
        )
        head(content)["checkpoint"] = own + cosign(east.signer, "detente/east", known, 2**60)

    found = scene().verify(changed(late))
    assert found.logged_at[0].not_before is None
    assert any("no date" in one for one in found.remarks)


def test_bundle_of_version_1_still_verifies() -> None:
    """B-OLD-1: what an earlier program wrote proves what it proved; its cosigner bounds the late end."""
    vector = json.loads(VECTOR.read_text("utf-8"))
    roots = {party: parse_public_keys(key) for party, key in vector["roots"].items()}
    found = verify_bundle(vector["bundle"].encode(), roots)
    assert vector["bundle"].startswith("detente-bundle/1 EXERCISE\n")
    assert found.remarks == []
    assert found.logged_at[0].not_before is None
    assert found.logged_at[0].not_after is not None
    assert found.lead_time_s == 2577.0
    assert parse_time(found.made.not_after or "") > 0


# -- the addressee's own log, by the maker's mirror of it -------------------------------------------


class Mirrored(Scene):
    """North and the un cosign south's log before and after, and north mirrors it."""

    def __init__(self, late_s: int = 0, neutral: bool = True) -> None:
        """`neutral`: whether east is the neutral witness whose lines north has found at south's door."""
        self.neutral = neutral
        super().__init__(late_s)

    def cosigned(self) -> int:
        """North cosigns south's log as it is, with the line that east gave for it; and mirrors it."""
        if self.neutral:
            cosign_newest(self.south, self.east)
            cosign_newest(self.north, self.east)
        cosign_newest(self.south, self.north)
        self.north.act(lambda core: core.checkpoint(self.north.now_us()))
        journal = self.north.running.journal
        size, _ = self.south.running.journal.checkpoint() or (0, "")
        seen = journal.witnessed("detente/south/log/1", size)
        assert seen is not None
        if self.neutral:
            lines = self.south.running.journal.cosignatures(size)["east"]
            kept = msgspec.structs.replace(seen, note=add_cosignature(seen.note, lines))
            self.north.act(lambda core: core.journal.put_witnessed(kept))
        mirror(self.south, self.north)
        return self.east.now_us() // US_PER_S


@functools.cache
def mirrored() -> Mirrored:
    """One scene for all tests of it."""
    return Mirrored()


def mirror_changed(change: Callable[[Any], None]) -> Verified:
    """What north's bundle proves with a change."""
    content = decode_paper("bundle", mirrored().bundle(mirrored().north), MEMBERS, 2**25)
    change(content)
    return mirrored().verify(encode_paper("bundle", content))


def told(content: Any) -> Any:
    """The receipt in north's bundle."""
    return content["copies"][0]["receipts"][0]


def test_bundle_of_the_maker_bounds_the_addressees_own_log() -> None:
    """B-INT-8: north's bundle alone gives both ends of when south's log had the notice, by a third party's clock."""
    found = mirrored().verify(mirrored().bundle(mirrored().north))
    (receipt,) = found.received_by
    assert receipt.not_before == text(mirrored().before)
    assert receipt.not_after == text(mirrored().after + 1)
    assert receipt.by == ["east"]
    (place,) = [one for one in found.logged_at if one.log == "detente/south/log/1"]
    assert (place.not_before, place.not_after) == (receipt.not_before, receipt.not_after)
    assert found.lead_time_between_s is not None
    assert None not in found.lead_time_between_s
    assert found.remarks == []


def test_bundle_and_record_of_the_maker_give_the_same_interval() -> None:
    """B-INT-8: what `ask` and the console say from the record is what its bundle proves."""
    (receipt,) = mirrored().verify(mirrored().bundle(mirrored().north)).received_by
    (one,) = proof(mirrored().north.running, "north:A-1").statements
    assert one.receipt is not None
    assert (one.receipt.not_before, one.receipt.not_after) == (
        receipt.not_before,
        receipt.not_after,
    )


def test_bundle_of_a_maker_without_neutral_gives_its_own_clock_and_says_so() -> None:
    """B-INT-3, B-INT-8: where only the maker has seen the addressee's log, the ends are there and are named its own."""
    alone = Mirrored(neutral=False)
    (receipt,) = alone.verify(alone.bundle(alone.north)).received_by
    assert receipt.by == ["north"]
    assert receipt.not_before == text(alone.before)


def test_bundle_of_a_maker_that_cosigned_late_gains_nothing() -> None:
    """B-INT-6, B-INT-8: north holds south's head back for an hour and cosigns then; south's own time of it is the end."""
    late = Mirrored(late_s=3600)
    (receipt,) = late.verify(late.bundle(late.north)).received_by
    assert receipt.not_before == text(late.before)


def test_bundle_before_the_mirror_is_there_has_no_heads_of_the_addressee() -> None:
    """B-INT-8: a head that the mirror does not reach is left out; the bundle proves what it proved without."""
    scene = Mirrored()
    scene.north.act(lambda _core: scene.north.disk.put_mirror("detente/south/log/1", []))
    content = decode_paper("bundle", scene.bundle(scene.north), MEMBERS, 2**25)
    assert told(content)["heads"] == []
    assert scene.verify(encode_paper("bundle", content)).remarks == []


def test_bundle_from_a_mirror_of_another_history_leaves_its_heads_out() -> None:
    """B-INT-8: what the mirror does not prove is not claimed: a wrong copy costs the ends, and nothing else."""
    scene = Mirrored()
    leaves = [leaf_hash(b"lie %d" % n) for n in range(40)]
    scene.north.act(lambda _core: scene.north.disk.put_mirror("detente/south/log/1", leaves))
    content = decode_paper("bundle", scene.bundle(scene.north), MEMBERS, 2**25)
    # the head of the receipt's own size needs no tree: it is the very head
    covering = parse_checkpoint(parse_note(scene_proof(scene)))
    sizes = [parse_checkpoint(parse_note(h["checkpoint"])).size for h in told(content)["heads"]]
    assert set(sizes) <= {covering.size}
    scene.verify(encode_paper("bundle", content))


def scene_proof(scene: Scene) -> str:
    """The checkpoint in the receipt that north has."""
    (statement,) = find_statements(scene.north.running, "north:A-1")
    receipt = scene.north.running.state.receipts[statement].receipt
    kept = scene.north.running.journal.statement(receipt)
    assert kept is not None
    return str(kept[1]["proof"][1]["checkpoint"])


RECEIPT_CHANGES: dict[str, Callable[[Any], None]] = {
    "twice": lambda c: told(c)["heads"].append(told(c)["heads"][-1]),
    "order": lambda c: told(c)["heads"].reverse(),
    "hash-more": lambda c: told(c)["heads"][0]["hashes"].append("A" * 43),
    "hash-other": lambda c: told(c)["heads"][0].update(hashes=["A" * 43]),
    "of-the-maker": lambda c: told(c).update(heads=c["copies"][0]["logged"][0]["heads"]),
    "in-the-place": lambda c: c["copies"][0]["logged"][0].update(heads=told(c)["heads"]),
    "not-cosigned": lambda c: told(c)["heads"][0].update(
        checkpoint="\n".join(
            line
            for line in told(c)["heads"][0]["checkpoint"].split("\n")
            if not line.startswith(("\u2014 detente/east ", "\u2014 detente/north "))
        )
    ),
}


@pytest.mark.parametrize("name", RECEIPT_CHANGES)
def test_bundle_head_of_the_addressee_changed_is_refused(name: str) -> None:
    """B-INT-1: heads of the addressee's log are held to the same rules as those of the maker's."""
    with pytest.raises(PeerError):
        mirror_changed(RECEIPT_CHANGES[name])


def test_bundle_head_of_the_receipts_size_and_another_root_is_refused() -> None:
    """B-INT-1: the same size may stand again only as the very head that the receipt holds."""
    south = mirrored().room.parties[1].identity
    covering = parse_checkpoint(parse_note(scene_proof(mirrored())))
    note = sign_checkpoint(south.signer, covering.origin, covering.size, b"x" * 32, NOON_S)
    north = mirrored().room.parties[0].identity
    lines = cosign(north.signer, "detente/north", parse_checkpoint(parse_note(note)), NOON_S)
    with pytest.raises(PeerError, match="roots differ"):
        mirror_changed(lambda c: told(c).update(heads=[{"checkpoint": note + lines, "hashes": []}]))


# -- what a record says of itself --------------------------------------------------------------------


def test_ask_gives_the_interval_that_the_bundle_proves() -> None:
    """B-INT-4: the answer of the addressee's record has the very ends of its bundle, and a lead time between two."""
    found = scene().verify(scene().bundle(scene().south))
    (receipt,) = found.received_by
    notice = scene().north.running.volumes("north:A-1")
    assert notice is not None
    lon, lat = (one / NANODEG_PER_DEG for one in notice.pieces[0].geometry.center)  # type: ignore[union-attr]
    ring = [[lon + x, lat + y] for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))]
    area = json.dumps({"type": "Polygon", "coordinates": [ring]}).encode()
    start_us = scene().room.timeline.now_us
    (row,) = ask(scene().south.running, area, start_us - DAY_US, start_us + DAY_US, None, start_us)[
        "notices"
    ]
    assert (row["not_before"], row["not_after"], row["by"]) == (
        receipt.not_before,
        receipt.not_after,
        ["east"],
    )
    assert row["lead_time_between_s"] == list(found.lead_time_between_s or ())
    assert row["lead_time_s"] == found.lead_time_s


@pytest.mark.parametrize("name", ["north", "south"])
def test_proof_panel_gives_the_intervals_of_the_bundle(name: str) -> None:
    """B-INT-4: what the console shows of a statement and its receipt is what the bundle of that record proves."""
    node = {"north": scene().north, "south": scene().south}[name]
    found = scene().verify(scene().bundle(node))
    (one,) = proof(node.running, "north:A-1").statements
    assert (one.not_before, one.not_after) == (found.made.not_before, found.made.not_after)
    assert one.receipt is not None
    (receipt,) = found.received_by
    assert one.receipt.not_after == receipt.not_after
    assert one.withheld == []
    assert one.destroyed == []
