"""Scripts: parsing, notices, the mirror, and the data that this package ships."""

import json
import re
from importlib import resources
from pathlib import Path

import pytest

from detente.conflict.strategic import Minima, Rules, check_pair
from detente.errors import RefusedError, UsageError
from detente.interop.geojson import parse_notice_geojson
from detente.notice.activity import ActivityNotice
from detente.scenario.script import (
    CYCLE,
    HYPOTHETICAL,
    SHIPPED,
    Ask,
    Conflicts,
    File,
    Level,
    Look,
    Report,
    Say,
    Script,
    area_geojson,
    describe_notice,
    notice_geojson,
    parse_script,
    swap_parties,
    time_to_clear,
)
from detente.scenario.terms import agreement_terms
from detente.scenario.timeline import parse_timeline
from detente.units import US_PER_S, parse_time

DATA = resources.files("detente.scenario") / "data"
AVOID = re.compile(
    r"\b(target|targets|strike package|kill|engagement|approv\w+|permission|authoris\w+|enemy|ego)\b",
    re.IGNORECASE,
)

SMALL = """
format = "detente-script-1"
exercise = true
name = "small"
title = "North and South, north of nowhere"
[clock]
start = "2027-04-12T06:00:00Z"
rate = 60
[[steps]]
at_s = 0
do = "say"
text = "North speaks of the north; South listens."
[[steps]]
at_s = 1
party = "north"
do = "file"
notice = "A-1"
activity = "patrol"
start = "+00:25:00"
end = "2027-04-12T08:00:00Z"
lower = { value = 0, unit = "ft", datum = "MSL" }
upper = { value = 250, unit = "FL", datum = "STD" }
[[steps.pieces]]
polygon = [[31.0, 33.2], [32.0, 33.2], [32.0, 33.9]]
[[steps.pieces]]
circle = [[31.5, 33.5]]
radius_nm = 5
upper = { value = 100, unit = "FL", datum = "STD" }
[[steps]]
at_s = 2
party = "north"
do = "cancel"
notice = "A-1"
[[steps]]
at_s = 2
party = "south"
do = "prove"
notice = "A-1"
[[steps]]
at_s = 3
party = "south"
do = "verify"
notice = "A-1"
"""


def shipped(name: str) -> Script:
    """A script of the package's data folder, parsed."""
    return parse_script((DATA / SHIPPED[name]).read_bytes())


def all_steps(script: Script) -> list[object]:
    """The steps of a script and of its loop."""
    return [*script.steps, *(script.loop.steps if script.loop else ())]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_script_parses_and_is_exercise(name: str) -> None:
    """Every shipped script parses, and every notice it files says exercise: true."""
    script = shipped(name)
    files = [step for step in all_steps(script) if isinstance(step, File)]
    assert files
    for step in files:
        document = json.loads(notice_geojson(step, script.clock.start_us, step.notice))
        for feature in document.get("features", [document]):
            assert feature["properties"]["exercise"] is True


@pytest.mark.parametrize("path", sorted(p.name for p in DATA.iterdir()))
def test_shipped_data_avoids_words_that_mislead(path: str) -> None:
    """Our own words never speak of targets or permission."""
    text = (DATA / path).read_text("utf-8")
    assert not AVOID.findall(text)


@pytest.mark.parametrize("path", sorted(p.name for p in DATA.iterdir()))
def test_shipped_data_file_is_reachable(path: str) -> None:
    """No data file lies about: each is a shipped script or the timeline of one."""
    timelines = {shipped(name).timeline for name in SHIPPED}
    assert path in {*SHIPPED.values(), *timelines}


def test_default_script_clashes_within_six_seconds_of_play() -> None:
    """The default play shows the clash by its sixth second, and its resolution after that."""
    script = shipped(next(iter(SHIPPED)))
    assert script.name == "two-patrols"
    looks = [step for step in script.steps if isinstance(step, Conflicts)]
    assert looks[0].expect == "conflict"
    assert looks[0].at_s <= 6
    assert looks[-1].expect == "none"
    kinds = [step.do for step in script.steps if isinstance(step, Look)]
    assert {"prove", "verify", "tamper"} <= set(kinds)
    assert any(isinstance(step, Ask) for step in script.steps)
    assert script.loop is not None


def test_exchange_script_plays_the_timeline_and_refuses_words() -> None:
    """il20-2018 starts with the record; words without place, hour or band are to be refused by field."""
    script = shipped("il20-2018")
    timeline = parse_timeline((DATA / script.timeline).read_bytes())
    assert timeline.date == "2018-09-17"
    words = [step for step in script.steps if isinstance(step, File) and step.do == "file-words"]
    assert {step.expect_field for step in words} == {"end", "geometry", "lower", "start"}
    first = json.loads(notice_geojson(words[0], script.clock.start_us, words[0].notice))
    assert first["geometry"] is None
    assert first["properties"]["region"] == "north Syria"
    assert first["properties"]["start"] == "in the next minutes"


def test_what_if_script_is_labelled_and_lists_its_assumptions() -> None:
    """The what-if is HYPOTHETICAL, lists each assumed volume, and presumes no verdict."""
    script = shipped("il20-2018-what-if")
    assert script.label == HYPOTHETICAL
    volumes = {step.notice for step in script.steps if isinstance(step, File)}
    listed = " ".join(script.assumptions)
    assert all(name in listed for name in volumes)
    assert all(not step.expect for step in script.steps if isinstance(step, Conflicts))
    until = {step.until.at_us for step in script.steps if isinstance(step, Report) and step.until}
    assert parse_time("2018-09-17T19:03:00Z") in until


def test_what_if_script_lists_every_number_of_its_volumes() -> None:
    """Every radius and half width that is played stands in the list of assumptions."""
    script = shipped("il20-2018-what-if")
    listed = " ".join(script.assumptions)
    for step in script.steps:
        if isinstance(step, File):
            for piece in step.pieces:
                if piece.shape.size:
                    assert f"{piece.shape.size / 1000:g} km" in listed


@pytest.mark.parametrize("name", SHIPPED)
def test_swap_parties_twice_is_the_same_script(name: str) -> None:
    """The mirror of the mirror is the play itself, and the mirror differs from it."""
    script = shipped(name)
    assert swap_parties(script) != script
    assert swap_parties(swap_parties(script)) == script


def test_swap_parties_exchanges_roles_and_names_but_not_directions() -> None:
    """C-12: North and South change places everywhere; a direction written small stays."""
    script = parse_script(SMALL.encode())
    mirror = swap_parties(script)
    assert [party.id for party in mirror.parties] == ["south", "north", "meridian"]
    assert [party.name for party in mirror.parties] == ["South", "North", "Meridian"]
    first = mirror.steps[0]
    assert isinstance(first, Say)
    assert first.text == "South speaks of the north; North listens."
    assert mirror.title == "South and North, north of nowhere"
    assert [step.party for step in mirror.steps] == ["", "south", "south", "north", "north"]


def test_swap_parties_keeps_what_is_flown() -> None:
    """The mirrored notice is the same volume at the same time under the same name."""
    script = parse_script(SMALL.encode())
    start_us = script.clock.start_us
    one, other = script.steps[1], swap_parties(script).steps[1]
    assert isinstance(one, File)
    assert isinstance(other, File)
    assert notice_geojson(one, start_us, "A-1") == notice_geojson(other, start_us, "A-1")


def test_notice_geojson_two_pieces_is_the_contract() -> None:
    """Pieces become features of one notice, a piece's own limit outranks the notice's."""
    script = parse_script(SMALL.encode())
    step = script.steps[1]
    assert isinstance(step, File)
    document = json.loads(notice_geojson(step, script.clock.start_us, "A-1"))
    assert document["type"] == "FeatureCollection"
    polygon, circle = document["features"]
    assert polygon["geometry"]["type"] == "Polygon"
    assert polygon["geometry"]["coordinates"][0][0] == polygon["geometry"]["coordinates"][0][-1]
    assert polygon["properties"] == {
        "id": "A-1",
        "exercise": True,
        "activity": "patrol",
        "start": "2027-04-12T06:25:00Z",
        "end": "2027-04-12T08:00:00Z",
        "lower": {"value": 0, "unit": "ft", "datum": "MSL"},
        "upper": {"value": 250, "unit": "FL", "datum": "STD"},
    }
    assert circle["geometry"] == {"type": "Point", "coordinates": [31.5, 33.5]}
    assert circle["properties"]["radius_nm"] == 5
    assert circle["properties"]["upper"]["value"] == 100


def test_notice_geojson_relative_time_counts_from_the_given_start() -> None:
    """In a loop the same step is filed anew in each cycle, at that cycle's time."""
    script = shipped("two-patrols")
    assert script.loop is not None
    step = next(step for step in script.loop.steps if isinstance(step, File))
    later_us = script.clock.start_us + 3600 * US_PER_S
    first = json.loads(notice_geojson(step, script.clock.start_us, "ROUTINE-A1"))
    second = json.loads(notice_geojson(step, later_us, "ROUTINE-A2"))
    assert first["properties"]["start"] == "2027-04-12T06:35:00Z"
    assert second["properties"]["start"] == "2027-04-12T07:35:00Z"
    assert second["properties"]["id"] == "ROUTINE-A2"


def test_area_geojson_carries_the_radius() -> None:
    """A question's circle keeps its radius."""
    script = shipped("il20-2018")
    ask = next(step for step in script.steps if isinstance(step, Ask))
    document = json.loads(area_geojson(ask))
    assert document["geometry"]["type"] == "Point"
    assert document["properties"]["radius_m"] == 5000


@pytest.mark.parametrize("name", SHIPPED)
def test_describe_notice_every_altitude_names_its_datum(name: str) -> None:
    """The plain text of a notice names a datum with each altitude, and what is missing if any is."""
    script = shipped(name)
    for step in all_steps(script):
        if isinstance(step, File):
            text = describe_notice(step, script.clock.start_us)
            for number in re.findall(r"FL\d+ \S+|[\d,]+ (?:ft|m) \S+", text):
                assert number.rstrip(",").endswith(("MSL", "STD", "AGL", "WGS84")), text
            if not step.pieces:
                assert "no geometry" in text


def test_level_text_reads_as_officers_say_it() -> None:
    """A flight level has three digits; feet have their thousands marked."""
    assert Level(50, "FL", "STD").text() == "FL050 STD"
    assert Level(4000, "ft", "MSL").text() == "4,000 ft MSL"
    assert Level(12.5, "m", "AGL").text() == "12.5 m AGL"


def test_time_to_clear_is_the_difference_and_says_when_it_is_negative() -> None:
    """Minutes left are computed from the receipt; a receipt after the moment is said aloud."""
    start = parse_time("2018-09-17T18:39:02Z")
    assert time_to_clear(start, parse_time("2018-09-17T19:03:00Z")) == "23 min 58 s"
    assert "after that moment" in time_to_clear(start, parse_time("2018-09-17T18:39:00Z"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("exercise = true", "exercise = false"),
        ('do = "say"', 'do = "say"\nexercise = false'),
        ('notice = "A-1"\nactivity', 'exercise = false\nnotice = "A-1"\nactivity'),
    ],
)
def test_parse_script_not_exercise_is_refused(old: str, new: str) -> None:
    """C-10: A script that speaks for real activity is refused by rule, wherever it says so."""
    with pytest.raises(RefusedError) as caught:
        parse_script(SMALL.replace(old, new, 1).encode())
    assert caught.value.rule == "scenario-not-exercise"


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('format = "detente-script-1"', 'format = "x"', "format"),
        ("exercise = true\n", "", "exercise"),
        ('title = "North and South, north of nowhere"', 'label = "HYPOTHETICAL"', "assumptions"),
        ('start = "2027-04-12T06:00:00Z"', 'start = "06:00"', "clock.start"),
        ("rate = 60", "rate = 0", "clock.rate"),
        ("rate = 60", "rate = 1.5", "clock.rate"),
        ("at_s = 0", "at_s = -1", "steps[0].at_s"),
        ("at_s = 3", "at_s = 1", "steps[4].at_s"),
        ('do = "say"', 'do = "shout"', "steps[0].do"),
        ('party = "north"\ndo = "file"', 'party = "east"\ndo = "file"', "steps[1].party"),
        ('party = "north"\ndo = "file"', 'do = "file"', "steps[1].party"),
        ('party = "north"\ndo = "cancel"', 'party = "south"\ndo = "cancel"', "steps[2].party"),
        ('do = "prove"', 'do = "receipts"', "steps[4].notice"),
        ('notice = "A-1"\nactivity', 'notice = "A 1"\nactivity', "steps[1].notice"),
        ('notice = "A-1"\nactivity', 'notice = "A-2"\nactivity', "steps[2].notice"),
        ('start = "+00:25:00"', 'start = "in the next minutes"', "steps[1].start"),
        ('start = "+00:25:00"\n', "", "steps[1].start"),
        ('unit = "ft", datum = "MSL"', 'unit = "ft"', "steps[1].lower.datum"),
        ('unit = "FL", datum = "STD"', 'unit = "FL", datum = "MSL"', "steps[1].upper.datum"),
        ("radius_nm = 5", "", "steps[1].pieces[1].radius_m"),
        ("radius_nm = 5", "radius_nm = 5\nradius_m = 5", "steps[1].pieces[1].radius_m"),
        ("[31.0, 33.2]", "[31.0, 93.2]", "steps[1].pieces[0].polygon"),
        ("[31.0, 33.2]", "[31.0, nan]", "steps[1].pieces[0].polygon"),
        ("circle = [[31.5, 33.5]]", "", "steps[1].pieces[1].polygon"),
        ("at_s = 0", "at_s = 0\nspeed = 1", "steps[0].speed"),
    ],
)
def test_parse_script_wrong_field_is_named(old: str, new: str, field: str) -> None:
    """C-1, C-2, C-13: A wrong field is refused by its path, with the rule."""
    assert old in SMALL
    with pytest.raises(UsageError) as caught:
        parse_script(SMALL.replace(old, new, 1).encode())
    assert caught.value.field == field
    assert "must be" in caught.value.message


def test_parse_script_words_need_an_expected_field() -> None:
    """Words that are offered as a notice must say which field their refusal names."""
    toml = SMALL + '[[steps]]\nat_s = 4\nparty = "south"\ndo = "file-words"\nnotice = "W"\n'
    with pytest.raises(UsageError) as caught:
        parse_script(toml.encode())
    assert caught.value.field == "steps[5].expect_field"


def test_parse_script_loop_needs_names_of_its_own_per_cycle() -> None:
    """C-14: A loop that would file the same notice twice is refused."""
    text = (DATA / "two-patrols.toml").read_text("utf-8").replace("ROUTINE-A{cycle}", "ROUTINE-A")
    with pytest.raises(UsageError) as caught:
        parse_script(text.encode())
    assert caught.value.field == "loop.steps[0].notice"


def test_parse_script_parties_must_be_two_and_a_neutral() -> None:
    """A play has two parties and a neutral, each once."""
    one = '[[parties]]\nid = "{0}"\nname = "{0}"\nrole = "{1}"\n'
    for members in (
        [("aa", "party"), ("bb", "party"), ("cc", "party")],
        [("aa", "party"), ("bb", "neutral"), ("cc", "neutral")],
        [("aa", "party"), ("aa", "party"), ("cc", "neutral")],
    ):
        toml = SMALL + "".join(one.format(*member) for member in members)
        with pytest.raises(UsageError) as caught:
            parse_script(toml.encode())
        assert caught.value.field is not None
        assert caught.value.field.startswith("parties")


def test_guide_example_script_parses() -> None:
    """The smallest script of docs/guide/scenarios.md is a script."""
    guide = Path(__file__).parents[3] / "docs" / "guide" / "scenarios.md"
    example = guide.read_text("utf-8").split("```toml\n")[1].split("```")[0]
    assert parse_script(example.encode()).name == "my-first"


def played(script: Script) -> list[tuple[File, list[str]]]:
    """Each step that files or amends, with the verdicts against the other party's live notices."""
    terms = agreement_terms(script, 0)
    minima = terms.minima
    rules = Rules(
        minima=Minima(
            lateral_tenth_mm=minima.lateral_tenth_mm,
            vertical_tenth_mm=minima.vertical_tenth_mm,
            time_us=minima.time_us,
        )
    )
    live: dict[str, tuple[str, ActivityNotice]] = {}
    result = []
    for step in all_steps(script):
        if isinstance(step, File) and not step.expect_field:
            name = step.notice.replace(CYCLE, "1")
            notice = parse_notice_geojson(notice_geojson(step, script.clock.start_us, name))
            live[name] = (step.party, notice)
            others = [other for party, other in live.values() if party != step.party]
            result.append((step, [check_pair(notice, o, rules).verdict for o in others]))
    return result


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_words_are_refused_for_the_field_they_name(name: str) -> None:
    """Every step in words is refused by the parser of notices, for the field that the script expects."""
    script = shipped(name)
    for step in all_steps(script):
        if isinstance(step, File) and step.expect_field:
            with pytest.raises(UsageError) as caught:
                parse_notice_geojson(notice_geojson(step, script.clock.start_us, step.notice))
            assert step.expect_field in str(caught.value.field)


def test_default_script_meets_once() -> None:
    """The engine finds the clash of the first two notices, and none of what is filed afterwards."""
    verdicts = [set(found) for _, found in played(shipped("two-patrols"))]
    assert verdicts[1] == {"conflict"}
    assert all(found <= {"clear"} for found in verdicts[2:])


def test_what_if_verdict_depends_on_the_drawn_volume() -> None:
    """The narrow volume gives no conflict, the wide one does, and holding inland resolves it."""
    verdicts = [found for _, found in played(shipped("il20-2018-what-if"))]
    assert verdicts == [[], ["clear"], ["clear"], ["conflict"], ["clear", "clear"]]
