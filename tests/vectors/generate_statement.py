"""Write statement.json and print the worked example of docs/spec/statement.md.

    python tests/vectors/generate_statement.py            # print the example
    python tests/vectors/generate_statement.py --write    # and write the vector: only for a new version

ML-DSA-44 signing is randomised, so a second run gives other signatures; all else is the same each time.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from detente.protocol.statement import (
    Thread,
    commit_openings,
    encode_message,
    encode_payload,
    open_fields,
    sign_statement,
)
from detente.signing.canonical import encode_canonical
from detente.signing.envelope import encode_envelope
from detente.signing.key import SigningKeys
from detente.units import parse_time

SIGNER = SigningKeys.from_seed(bytes(range(64)))
BODY: dict[str, Any] = {
    "activity": "patrol",
    "pieces": [
        {
            "edges": "planar",
            "end": "2018-09-17T19:40:00Z",
            "geometry": {
                "center": [35_500_000_000, 35_400_000_000],
                "radius_tenth_mm": 185_200_000,
                "type": "circle",
            },
            "lower": {"datum": "MSL", "tenth_mm": 3_048_000, "unit": "ft"},
            "start": "2018-09-17T18:39:00Z",
            "upper": {"datum": "STD", "tenth_mm": 76_200_000, "unit": "FL"},
        }
    ],
    "precedence": "routine",
    "text": "tanker track 3",
}
SALTS = bytes(range(16 * len(BODY)))
OPENINGS = open_fields(BODY, SALTS)
MEMBERS: dict[str, Any] = {
    "exercise": True,
    "agreement": "5f" * 32,
    "body": commit_openings(OPENINGS),
    "chain": "ordinary",
    "claimed_us": parse_time("2018-09-17T18:20:00Z"),
    "party": "north",
    "desk": "operations-cell",
    "recipient": "south",
    "previous": None,
    "sequence": 1,
    "thread": Thread("north:A-1", "notice", 1),
    "to": ["south", "un"],
    "type_": "activity/notice",
    "withheld": ["text"],
}
GIVEN = {name: opening for name, opening in OPENINGS.items() if name != "text"}
PAYLOAD = encode_payload(key=SIGNER.public.key_id, **MEMBERS)


def broken(text: str, width: int = 110) -> str:
    """A long line in pieces, for reading."""
    return "\n".join(f"    {text[i : i + width]}" for i in range(0, len(text), width))


def main() -> None:
    """Print the example, write the vector when asked to."""
    statement = sign_statement(SIGNER, **MEMBERS)
    assert statement.envelope.payload == PAYLOAD
    print("payload:\n")
    print(broken(PAYLOAD.decode()))
    print("\nopenings:\n")
    print(broken(encode_canonical(GIVEN).decode()))
    print(f"\nbody digest: `{statement.body_digest}`")
    print(f"statement id: `{statement.id}`")
    if "--write" in sys.argv:
        vector = {
            "key": dict(SIGNER.public.to_json()),
            "payload": PAYLOAD.decode(),
            "openings": GIVEN,
            "withheld_opening": {"text": OPENINGS["text"]},
            "body_digest": statement.body_digest,
            "id": statement.id,
            "envelope": encode_envelope(statement.envelope).decode(),
            "message": encode_message(statement, GIVEN).decode(),
        }
        path = Path(__file__).with_name("statement.json")
        path.write_text(json.dumps(vector, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
