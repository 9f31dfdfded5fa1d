"""No reader of bytes that others made is left out of the fuzzing."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("signing", "ledger", "agreement", "protocol", "node", "hotline", "notice", "airspace")
READER = re.compile(
    r"^(?:async )?(?:def|class) ((?:parse|decode|learn|read|load)_\w+|open_age|take_reply|\w+Parser|verify_(?:bundle|absence|evidence))\b",
    re.M,
)

# Reader: the reader of tests/fuzz/test_parsers.py that leads to it.
FUZZED = {
    "UploadParser": "mirror upload",
    "decode_base64": "note",
    "decode_base64url": "frame",
    "decode_paper": "bundle",
    "learn_keys": "learned keys",
    "open_age": "age",
    "parse_add_checkpoint": "add-checkpoint",
    "parse_agreement": "agreement",
    "parse_bundle": "entry bundle",
    "parse_canonical": "canonical JSON",
    "parse_card": "card",
    "parse_certificate": "certificate",
    "parse_checkpoint": "checkpoint",
    "parse_cosigner": "cosigner",
    "parse_envelope": "envelope",
    "parse_frame": "frame",
    "parse_info": "mirror info",
    "parse_leaf_header": "leaf opening",
    "parse_leaf_opening": "leaf opening",
    "parse_log_proof": "log proof",
    "parse_message": "message",
    "parse_note": "note",
    "parse_policy": "policy",
    "parse_public_keys": "card",
    "parse_revocation": "revocation",
    "parse_sealing_public_key": "card",
    "parse_signatures": "certificate",
    "parse_stamp": "time stamp",
    "parse_statement": "statement",
    "parse_terms": "agreement",
    "parse_tile_path": "tile path",
    "parse_time": "card",
    "parse_tlog_proof": "tlog-proof",
    "parse_vkey": "vkey",
    "parse_vouched": "vouched message",
    "take_reply": "time stamp answer",
    "verify_absence": "absence",
    "verify_bundle": "bundle",
    "verify_evidence": "evidence of equivocate",
}
# Bodies of statements: tests/sim/test_fuzz.py says any JSON in them over a line.
BODIES = {
    "parse_activity_body",
    "parse_altitude_body",
    "parse_bounds",
    "parse_geometry_body",
    "parse_language",
    "parse_number",
    "parse_read_back",
    "parse_slot",
    "parse_times",
    "parse_volume_body",
}
# What no other party made, or what only hands on to a reader above.
OWN = {
    "load_envelope": "from our own store",
    "load_kept": "from our own store",
    "load_statement": "from our own store",
    "parse_altitude": "what an officer typed",
    "parse_mark": "where a console's stream goes on",
    "parse_roots": "a file of our own operator's",
    "read_back": "what an officer read back",
    "read_body": "what an officer's program asks, after sign-in",
    "read_card": "parse_card of a file",
    "read_frame": "parse_frame, then keys",
    "read_json": "a file of our own operator's",
    "read_phrasebook": "a file of our own operator's",
    "read_tile": "makes a tile of our own log",
}


def readers() -> dict[str, str]:
    """Every reader by name, and its file."""
    return {
        name: str(path.relative_to(ROOT))
        for room in ROOMS
        for path in sorted((ROOT / "src/detente" / room).glob("*.py"))
        for name in READER.findall(path.read_text("utf-8"))
    }


def test_every_reader_of_others_bytes_is_fuzzed_or_says_why_not() -> None:
    """A new parser cannot be forgotten: its name stands in one of the tables above, and those hold nothing else."""
    known = {**FUZZED, **dict.fromkeys(BODIES, ""), **OWN}
    assert len(known) == len(FUZZED) + len(BODIES) + len(OWN)
    found = readers() | {"parse_time": "units.py"}
    assert {n: f for n, f in found.items() if n not in known} == {}
    assert sorted(set(known) - set(found)) == []


def test_every_fuzzed_reader_is_in_the_fuzzing() -> None:
    """The reader that a table names is there, and what it reads is called in its file."""
    fuzzed = (ROOT / "tests/fuzz/test_parsers.py").read_text("utf-8")
    for name, label in FUZZED.items():
        assert f'"{label}"' in fuzzed or label.startswith("evidence of "), (name, label)
