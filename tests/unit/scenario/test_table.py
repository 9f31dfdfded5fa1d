"""A TOML table read strictly."""

import pytest

from detente.errors import UsageError
from detente.scenario.table import SCENARIO_BYTES, parse_table


def test_table_unknown_field_is_refused_with_its_name() -> None:
    """C-1: A misspelt field does not pass for an absent one."""
    table = parse_table(b'name = "x"\n[clock]\nstrat = 1\n')
    table.text("name")
    clock = table.table("clock")
    clock.number("start", 0)
    with pytest.raises(UsageError) as caught:
        clock.done()
    assert caught.value.field == "clock.strat"
    assert caught.value.code == "field-unknown"


@pytest.mark.parametrize(
    ("toml", "read", "code"),
    [
        (b"", "text", "field-missing"),
        (b"x = 1", "text", "field-malformed"),
        (b'x = ""', "text", "field-malformed"),
        (b'x = "a\\u001b[2Jb"', "text", "field-malformed"),
        (b'x = "a\\u202eb"', "text", "field-malformed"),
        (b'x = "North"', "token", "field-malformed"),
        (b"x = nan", "number", "field-malformed"),
        (b"x = true", "number", "field-malformed"),
        (b'x = "1"', "number", "field-malformed"),
        (b"x = 1", "flag", "field-malformed"),
        (b'x = "2018-09-17 18:39"', "time", "time-malformed"),
        (b"x = 2018-09-17T18:39:00Z", "time", "time-malformed"),
        (b"x = [1]", "texts", "field-malformed"),
        (b"x = [1]", "tables", "field-malformed"),
        (b"x = 1", "table", "field-malformed"),
    ],
)
def test_table_wrong_value_names_field_value_and_rule(toml: bytes, read: str, code: str) -> None:
    """C-2, C-3, C-4: Every wrong value is refused with the field, the value and the rule."""
    table = parse_table(toml)
    with pytest.raises(UsageError) as caught:
        getattr(table, read)("x")
    assert caught.value.code == code
    assert caught.value.field is not None
    assert caught.value.field.startswith("x")
    assert "must be" in caught.value.message


@pytest.mark.parametrize("raw", [b"x = ", b"\xff\xfe", b"x=" + b"[" * 100_000])
def test_parse_table_not_toml_is_refused(raw: bytes) -> None:
    """Bytes that are not TOML are refused, whatever they are."""
    with pytest.raises(UsageError):
        parse_table(raw)


def test_parse_table_too_large_is_refused() -> None:
    """C-3: A file past the limit is an error, not a truncation."""
    with pytest.raises(UsageError, match="bytes"):
        parse_table(b"#" * (SCENARIO_BYTES + 1))


def test_table_whole_out_of_range_is_refused() -> None:
    """A whole number is whole and within its bounds."""
    for toml in (b"x = 0", b"x = 11", b"x = 1.0", b"x = true"):
        with pytest.raises(UsageError, match="from 1 to 10"):
            parse_table(toml).whole("x", least=1, most=10)
    assert parse_table(b"x = 10").whole("x", least=1, most=10) == 10
