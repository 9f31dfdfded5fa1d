"""The help of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from detente.cli.main import app


def _commands(command: Any, name: str = "detente") -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for word, one in inner.items():
        yield from _commands(one, f"{name} {word}")


def test_every_argument_and_option_says_what_it_is() -> None:
    """`--help` of each command says a word about everything that can be given to it."""
    commands = dict(_commands(get_command(app)))
    assert len(commands) > 40
    silent = {
        f"{name}: {one.name}"
        for name, command in commands.items()
        for one in command.params
        if not getattr(one, "help", None)
    }
    assert silent == set()
    assert [name for name, command in commands.items() if not command.help] == []
