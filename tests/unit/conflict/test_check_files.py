"""`detente check` as a function: its contract, exit codes and text."""

import json

import pytest

from detente.cli.check import check_files, describe, exit_code
from detente.conflict.strategic import Minima
from detente.errors import UsageError


def feature(name="A-1", west=35.0, lower=1000, upper=9000, **changes):
    """One feature with a one-degree box."""
    ring = [[west, 33], [west + 1, 33], [west + 1, 34], [west, 34], [west, 33]]
    properties = {
        "id": name,
        "exercise": False,
        "activity": "patrol",
        "start": "2018-09-17T18:39:00Z",
        "end": "2018-09-17T19:40:00Z",
        "lower": {"value": lower, "unit": "ft", "datum": "MSL"},
        "upper": {"value": upper, "unit": "ft", "datum": "MSL"},
        **changes,
    }
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def file_of(*features):
    """A FeatureCollection as bytes."""
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def test_check_conflict_has_exactly_the_contract():
    """Names, types and values of `check --json` are those of the public contract."""
    found = check_files(file_of(feature()), file_of(feature("B-1", 35.5)))
    assert found == {
        "verdict": "conflict",
        "conflicts": [
            {
                "own": "A-1",
                "peer": "B-1",
                "verdict": "conflict",
                "from": "2018-09-17T18:39:00Z",
                "until": "2018-09-17T19:40:00Z",
                "lower_ft": 1000,
                "upper_ft": 9000,
                "datum": "MSL",
                "reason": "volumes overlap from 2018-09-17T18:39:00Z to 2018-09-17T19:40:00Z "
                "between 1,000 ft MSL and 9,000 ft MSL",
            }
        ],
        "touches": [],
        "checked_pairs": 1,
    }
    assert exit_code(found) == 1
    json.dumps(found, allow_nan=False)


def test_check_touches_alone_are_clear():
    """A shared face is mentioned and is no bad news."""
    found = check_files(file_of(feature()), file_of(feature("B-1", 36)))
    assert (found["verdict"], exit_code(found), len(found["touches"])) == ("clear", 0, 1)
    assert set(found["touches"][0]) == {"own", "peer", "reason"}


def test_check_cannot_tell_is_outranked_by_any_conflict():
    """Cannot-tell exits 3; a conflict beside it exits 1 and stands first."""
    high = {"value": 95, "unit": "FL", "datum": "STD"}
    higher = {"value": 120, "unit": "FL", "datum": "STD"}
    doubtful = feature("C-1", lower=0, upper=1)
    doubtful["properties"].update(lower=high, upper=higher)
    found = check_files(file_of(feature()), file_of(doubtful))
    assert (found["verdict"], exit_code(found)) == ("cannot-tell", 3)
    assert "STD" in found["conflicts"][0]["reason"]
    found = check_files(file_of(feature()), file_of(doubtful, feature("Z-1")))
    assert (found["verdict"], exit_code(found)) == ("conflict", 1)
    assert [entry["peer"] for entry in found["conflicts"]] == ["Z-1", "C-1"]
    assert found["checked_pairs"] == 2


def test_check_swapped_files_mirror_the_answer():
    """Exchanging the files exchanges own and peer and nothing else."""
    mine, theirs = file_of(feature(), feature("A-2", 36)), file_of(feature("B-1", 35.5))
    one, two = check_files(mine, theirs), check_files(theirs, mine)
    for entry in two["conflicts"]:
        entry["own"], entry["peer"] = entry["peer"], entry["own"]
    assert one == two


def test_check_minima_widen_the_search():
    """Minima from the command line are kept."""
    near = file_of(feature("B-1", 36.01))
    assert check_files(file_of(feature()), near)["verdict"] == "clear"
    assert check_files(file_of(feature()), near, Minima(18_520_000, 0, 0))["verdict"] == "conflict"
    with pytest.raises(UsageError):
        check_files(file_of(feature()), near, Minima(10**15, 0, 0))


def test_check_unreadable_file_names_the_side_and_the_field():
    """An error says whose file and where."""
    with pytest.raises(UsageError) as error:
        check_files(file_of(feature()), file_of(feature(end="2018-09-17T18:00:00Z")))
    assert error.value.field == "peer: features[0].properties.end"


def test_describe_names_the_datum_of_every_altitude():
    """The text for people carries the same words, and a caution."""
    text = describe(check_files(file_of(feature()), file_of(feature("B-1", 35.5))))
    assert text.startswith("CONFLICT\n  conflict  A-1 / B-1: volumes overlap")
    assert "between 1,000 ft MSL and 9,000 ft MSL" in text
    assert "no permission" in text
