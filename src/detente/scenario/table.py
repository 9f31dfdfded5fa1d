"""A TOML table read strictly: each field by name and rule, and what is left over is an error.

A scenario is written by hand and read by people who will believe what they see, so a misspelt field
must not pass for an absent one. Texts are shown on a terminal, therefore control characters are
refused: with them a scenario file could hide or rewrite lines that the reader takes for the node's.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Container, Mapping, Sequence
from typing import NoReturn, cast

from detente.errors import UsageError, shown
from detente.limits import API_BODY_BYTES, NAME_CHARS, TEXT_CHARS
from detente.units import parse_time

SCENARIO_BYTES = API_BODY_BYTES  # a scenario holds notices; it is bounded as one request is

# Control characters, and those that reorder what a line shows.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_TOKEN = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)


class Table:
    """One table of a scenario file, and where it stands in that file.

    Args:
        values: the table as tomllib gives it.
        where: the path an error shows, e.g. ``"steps[3]"``; empty for the whole file.
    """

    def __init__(self, values: Mapping[str, object], where: str = "") -> None:
        self._values = values
        self._where = where
        self._read: set[str] = set()

    def path(self, name: str) -> str:
        """The full name of a field, as an error shows it."""
        return f"{self._where}.{name}" if self._where else name

    def wrong(self, name: str, rule: str) -> NoReturn:
        """Refuse the field `name`: "<name> is <value>; it must be <rule>"."""
        if name in self._values:
            value, code = shown(self._values[name]), "field-malformed"
        else:
            value, code = "missing", "field-missing"
        raise UsageError(
            code,
            f"{name} is {value}; it must be {rule}",
            hint="docs/spec/scenario.md lists every field",
            field=self.path(name),
        )

    def has(self, name: str) -> bool:
        """Whether the table holds the field."""
        return name in self._values

    def _take(self, name: str, rule: str) -> object:
        self._read.add(name)
        if name not in self._values:
            self.wrong(name, rule)
        return self._values[name]

    def text(
        self, name: str, default: str | None = None, *, most_chars: int = TEXT_CHARS, rule: str = ""
    ) -> str:
        """A text without control characters; line breaks of a multi-line string become spaces."""
        rule = rule or f"a text of 1 to {most_chars} characters without control characters"
        if default is not None and name not in self._values:
            self._read.add(name)
            return default
        value = self._take(name, rule)
        if not isinstance(value, str):
            self.wrong(name, rule)
        text = " ".join(value.split())
        if not 1 <= len(text) <= most_chars or _CONTROL.search(text):
            self.wrong(name, rule)
        return text

    def token(self, name: str, default: str | None = None) -> str:
        """A short lower-case name such as ``north`` or ``strike-hazard``."""
        rule = "1 to 32 of a-z, 0-9 and -, starting with a letter"
        text = self.text(name, default, rule=rule)
        if text != default and not _TOKEN.fullmatch(text):
            self.wrong(name, rule)
        return text

    def choice(self, name: str, choices: Sequence[str], default: str | None = None) -> str:
        """One of the given words."""
        rule = "one of " + ", ".join(choices)
        text = self.text(name, default, rule=rule)
        if text != default and text not in choices:
            self.wrong(name, rule)
        return text

    def named(self, name: str, names: Container[str], what: str) -> str:
        """A name that the file has given before, to `what`."""
        text = self.text(name, most_chars=NAME_CHARS)
        if text not in names:
            self.wrong(name, f"the name of {what}")
        return text

    def unused(self, name: str, names: Container[str]) -> str:
        """A name that the file has not given before."""
        text = self.text(name, most_chars=NAME_CHARS)
        if text in names:
            self.wrong(name, "a name not used before in this script")
        return text

    def flag(self, name: str, default: bool | None = None) -> bool:
        """True or false."""
        if default is not None and name not in self._values:
            self._read.add(name)
            return default
        value = self._take(name, "true or false")
        if not isinstance(value, bool):
            self.wrong(name, "true or false")
        return value

    def number(
        self,
        name: str,
        default: float | None = None,
        *,
        least: float = -math.inf,
        most: float = math.inf,
    ) -> float:
        """A finite number within the bounds, both included."""
        rule = "a number" if math.isinf(least) and math.isinf(most) else ""
        rule = rule or (
            f"a number from {least:g}"
            if math.isinf(most)
            else f"a number from {least:g} to {most:g}"
        )
        if default is not None and name not in self._values:
            self._read.add(name)
            return default
        value = self._take(name, rule)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong(name, rule)
        if not math.isfinite(value) or not least <= value <= most:
            self.wrong(name, rule)
        return value

    def whole(self, name: str, default: int | None = None, *, least: int, most: int) -> int:
        """A whole number within the bounds, both included."""
        rule = f"a whole number from {least} to {most}"
        if default is not None and name not in self._values:
            self._read.add(name)
            return default
        value = self._take(name, rule)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.wrong(name, rule)
        return value

    def time(self, name: str) -> int:
        """An RFC 3339 time in Z, as microseconds since the epoch."""
        value = self._take(name, "an RFC 3339 time in UTC, such as 2018-09-17T18:39:00Z")
        return parse_time(value, field=self.path(name))

    def value(self, name: str, rule: str) -> object:
        """The field as it is, for a caller that checks it itself with `wrong`."""
        return self._take(name, rule)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; absent is empty."""
        rule = "a list of texts"
        self._read.add(name)
        items = self._values.get(name, [])
        if not isinstance(items, list):
            self.wrong(name, rule)
        return tuple(
            Table({str(at): item}, self.path(name)).text(str(at)) for at, item in enumerate(items)
        )

    def table(self, name: str) -> Table:
        """A table inside this one; absent is an empty table."""
        self._read.add(name)
        values = self._values.get(name, {})
        if not isinstance(values, dict):
            self.wrong(name, "a table")
        return Table(cast("dict[str, object]", values), self.path(name))

    def tables(self, name: str, *, least: int = 0) -> tuple[Table, ...]:
        """A list of tables; absent is empty."""
        rule = f"a list of at least {least} tables" if least else "a list of tables"
        self._read.add(name)
        items = self._values.get(name, [])
        if not isinstance(items, list) or len(items) < least:
            self.wrong(name, rule)
        if not all(isinstance(item, dict) for item in items):
            self.wrong(name, rule)
        return tuple(Table(item, f"{self.path(name)}[{at}]") for at, item in enumerate(items))

    def names(self) -> tuple[str, ...]:
        """The fields that the table holds, in its order."""
        return tuple(self._values)

    def done(self) -> None:
        """Refuse any field that nobody asked for."""
        for name in self._values:
            if name not in self._read:
                known = ", ".join(sorted(self._read))
                raise UsageError(
                    "field-unknown",
                    f"{name} is not a field here; it must be one of {known}",
                    hint="a misspelt field would otherwise pass for an absent one",
                    field=self.path(name),
                )


def parse_table(raw: bytes) -> Table:
    """The whole of a TOML file as a table.

    Args:
        raw: the bytes of the file, UTF-8.

    Raises:
        UsageError: too large, not UTF-8, or not TOML.

    Source: TOML 1.0.

    Example:
        >>> parse_table(b'name = "two-patrols"').text("name")
        'two-patrols'
    """
    if len(raw) > SCENARIO_BYTES:
        raise UsageError(
            "scenario-too-large",
            f"scenario is {len(raw)} bytes; it must be at most {SCENARIO_BYTES}",
        )
    try:
        values = tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UsageError(
            "scenario-malformed",
            f"byte {error.start} is {raw[error.start]:#04x}; it must be part of UTF-8 text",
        ) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(
            "scenario-malformed", f"scenario is not TOML ({error}); it must be TOML 1.0"
        ) from None
    return Table(values)
