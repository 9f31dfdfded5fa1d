"""Fuzz every reader of tests/fuzz by coverage with atheris, for a while each; `make fuzz` runs it.

A development tool that needs `pip install atheris` beside the locked packages (it has no wheel for every machine, and is
no part of `make test`). What raises anything but what the reader promises is printed with its bytes, and the exit code is 1.

Usage: scripts/fuzz.py [SECONDS]           60 by default, for each reader
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def fuzz(name: str, seconds: int) -> None:
    """Feed one reader until the time is over; never returns."""
    import atheris

    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "fuzz")]
    with atheris.instrument_imports(include=["detente"]):
        import test_parsers as readers

    from detente.errors import PeerError, UsageError

    samples, read = (readers.OF_BYTES | readers.OF_FILES)[name]
    promised = (PeerError, UsageError) if name in readers.OF_FILES else PeerError

    def try_one(data: bytes) -> None:
        try:
            read(data)
        except promised:
            return

    corpus = ROOT / ".fuzz" / name.replace(" ", "-")
    corpus.mkdir(parents=True, exist_ok=True)
    for number, sample in enumerate(samples):
        (corpus / f"sample-{number}").write_bytes(sample)
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={seconds}",
            "-max_len=65536",
            "-rss_limit_mb=1024",
            "-print_final_stats=1",
            f"-artifact_prefix={corpus}-",
            str(corpus),
        ],
        try_one,
    )
    atheris.Fuzz()


def main() -> int:
    """Each reader in a process of its own; 1 if any failed."""
    if len(sys.argv) == 3:
        fuzz(sys.argv[1], int(sys.argv[2]))
    seconds = sys.argv[1] if len(sys.argv) == 2 else "60"
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "fuzz")]
    import test_parsers as readers

    failed = [
        name
        for name in (*readers.OF_BYTES, *readers.OF_FILES)
        if subprocess.run([sys.executable, __file__, name, seconds], check=False).returncode
    ]
    print(f"failed: {', '.join(failed)}" if failed else "every reader kept its promise")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
