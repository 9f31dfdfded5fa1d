"""The command that says how a text is read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from detente.cli.main import app

NOTAM = "Q) OSTT/QRTCA/IV/BO/W/000/250/3531N03547E005\nB) 2609301200 C) 2609301800\nF) SFC G) UNL\n"


def run(*words: str, stdin: str = "") -> tuple[int, str]:
    """Exit code and output of `detente read`."""
    done = CliRunner().invoke(app, ["read", *words], input=stdin)
    return done.exit_code, done.output


def test_read_shows_the_place_in_every_notation() -> None:
    """An officer sees each position in three notations, and what it was read from."""
    code, text = run("-", stdin="353125N 0354716E 5NM")
    assert code == 0
    assert "read as circle: radius 5 NM" in text
    assert "35°31′25.0″N 035°47′16.0″E  35.52361, 35.78778  36S YE" in text
    assert "from '353125N 0354716E' (dms, to 30.9 m)" in text


def test_read_shows_band_times_and_notes() -> None:
    """What a NOTAM says beside its place is shown, and what is left open."""
    _, text = run("-", stdin=NOTAM)
    assert "band   0 ft AGL to open" in text
    assert "time   2026-09-30T12:00:00Z to 2026-09-30T18:00:00Z" in text
    assert "note   upper-unlimited: item G" in text


def test_read_near_a_pole_says_that_there_is_no_grid() -> None:
    """A position without a grid reference is still shown."""
    assert "(no grid here)" in run("-", stdin="89N 10E")[1]


def test_read_as_geojson_is_a_collection_of_the_shapes(tmp_path: Path) -> None:
    """The shapes can go on to another program."""
    file = tmp_path / "positions.txt"
    file.write_text("35N 36E, 36N 36E, 36N 37E")
    code, text = run(str(file), "--geojson")
    found = json.loads(text)
    assert code == 0
    assert found["type"] == "FeatureCollection"
    assert found["features"][0]["geometry"]["type"] == "Polygon"


def test_read_as_json_is_the_answer_of_the_api() -> None:
    """Scripts get the same document as the console."""
    found = json.loads(run("-", "--json", stdin="35N 36E")[1])
    assert (found["kind"], found["positions"][0]["lat"], found["lower"]) == (
        "positions",
        35.0,
        None,
    )


@pytest.mark.parametrize("text", ["35,5 36,2", "nothing", ""])
def test_read_of_a_text_with_two_meanings_or_none_is_usage(text: str) -> None:
    """Exit code 2, as for any input that is wrong."""
    assert run("-", stdin=text)[0] == 2
