"""The phrasebook as the package carries it: read once, when somebody first asks."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable

from detente.hotline.phrasebook import Phrasebook, build_phrasebook, parse_language


@lru_cache(maxsize=1)
def phrasebook() -> Phrasebook:
    """Every language that has a file."""
    return read_phrasebook(resources.files("detente.hotline") / "phrases")


def read_phrasebook(folder: Traversable) -> Phrasebook:
    """The phrasebook of a folder: each file is a language, whatever it is called.

    Raises:
        UsageError: ``phrases-malformed``: a file lacks a phrase or a slot, or cannot be read.
    """
    return build_phrasebook(
        parse_language(file.read_text("utf-8"))
        for file in sorted(folder.iterdir(), key=lambda one: one.name)
        if file.name.endswith(".toml")
    )
