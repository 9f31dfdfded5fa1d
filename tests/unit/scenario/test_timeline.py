"""The public record as claims with sources."""

import re
from importlib import resources

import pytest

from detente.errors import UsageError
from detente.scenario.timeline import (
    Discrepancy,
    Rival,
    find_difference,
    find_interval,
    parse_timeline,
    render_timeline,
)
from detente.units import parse_time

DATA = resources.files("detente.scenario") / "data"
IL20 = (DATA / "il20-2018.toml").read_bytes()

SMALL = """
format = "detente-timeline-1"
name = "small"
title = "A small night"
date = "2018-09-17"
content_note = "Somebody was hurt."
about = "Claims."
time_note = "UTC."
not_established = ["everything"]

[[sources]]
id = "A1"
title = "Paper A"
[[sources]]
id = "B1"
title = "Paper B"
weak = true
note = "a copy"
[[parties]]
id = "one"
name = "One"
[[parties]]
id = "two"
name = "Two"
[[statements]]
id = "a"
party = "one"
said_at = "2018-09-18"
kind = "event-as-told"
about = "21:39"
at = "2018-09-17T18:39:00Z"
text = "It began."
sources = ["A1"]
[[statements]]
id = "b"
party = "two"
kind = "claim"
at = "2018-09-17T19:03:00Z"
about = "22:03"
text = "It began later."
sources = ["B1"]
[[intervals]]
what = "between"
since = "a"
until = "b"
"""


def rivals(*values: tuple[float | None, str], unit: str = "s") -> Discrepancy:
    """A discrepancy of bare values."""
    return Discrepancy(
        "fact",
        unit,
        tuple(Rival("a", "words", number, bound) for number, bound in values),  # type: ignore[arg-type]
    )


def test_il20_timeline_holds_the_whole_record() -> None:
    """The shipped record has every entry of the night, each with a source, and its contradictions."""
    timeline = parse_timeline(IL20)
    times = {
        claim.about[:5]
        for claim in timeline.claims
        if claim.kind == "event-as-told" and claim.at_us
    }
    assert {
        "20:31", "21:39", "21:40", "21:51", "21:59", "22:03", "22:07", "22:40", "22:53",
    } <= times  # fmt: skip
    assert all(claim.sources for claim in timeline.claims)
    facts = " ".join(contradiction.fact for contradiction in timeline.contradictions)
    for word in ("loss", "aboard", "frigate", "jets", "early"):
        assert word in facts
    assert any(source.weak for source in timeline.sources)
    assert all(place.derived for place in timeline.places if place.latitude_deg is not None)


def test_il20_timeline_lead_is_computed_not_typed() -> None:
    """C-8, C-9: The minute between notice and release is derived from the two times, with its precision."""
    timeline = parse_timeline(IL20)
    texts = [find_interval(timeline, interval) for interval in timeline.intervals]
    assert texts[0].startswith("1 min 00 s")
    assert "less than 2 min 00 s" in texts[0]
    assert [text[:9] for text in texts[1:]] == ["24 min 00", "23 min 00", "50 min 00"]


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_render_timeline_content_note_first_and_every_claim_marked(width: int) -> None:
    """C-7: The content note comes first; no line of anybody's words lacks CLAIM."""
    timeline = parse_timeline(IL20)
    lines = render_timeline(timeline, width)
    assert next(line for line in lines if line) == "CONTENT NOTE"
    heading = re.compile(r"^[A-Z][A-Z ]+")
    section = ""
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if following and set(following) == {"-"} and heading.match(line):
            section = line
        elif section.startswith(("TIMELINE", "WHAT THE PARTIES")) and line and set(line) != {"-"}:
            assert re.match(r"CLAIM \[[A-Z0-9]+", line), line
        elif section.startswith(("RIVAL", "CONTRADICTIONS")) and line and set(line) != {"-"}:
            marked = line.startswith(("CLAIM ", "DERIVED ", "* "))
            assert marked or lines[number - 1].startswith("* "), line
    assert all(len(line) <= width or "http" in line for line in lines)
    text = "\n".join(lines)
    for part in ("Unsigned", "Not a finding", "NOT ESTABLISHED", "WEAK SOURCE", "(weak)"):
        assert part in text


def test_render_timeline_sides_stand_side_by_side() -> None:
    """A contradiction shows both claims in one row, each column under its own source."""
    lines = render_timeline(parse_timeline(IL20), 110)
    row = next(line for line in lines if "already in Israeli airspace" in line and "|" in line)
    left, right = row.split("|")
    assert "already in Israeli airspace" in left
    assert "70 km" in right


def test_render_timeline_narrow_is_refused() -> None:
    """A width in which columns would not be readable is refused."""
    with pytest.raises(UsageError, match="at least 60"):
        render_timeline(parse_timeline(IL20), 59)


@pytest.mark.parametrize(
    ("discrepancy", "text"),
    [
        (rivals((60, "exactly"), (60, "exactly")), "none: the values agree"),
        (rivals((60, "less-than"), (60, "more-than")), "the values exclude each other"),
        (rivals((60, "less-than"), (90, "more-than")), "at least 30 s"),
        (rivals((60, "exactly"), (90, "exactly")), "30 s between"),
        (rivals((60, "about"), (90, "exactly")), "about 30 s between"),
        (rivals((30, "more-than"), (40, "more-than")), "can be true together"),
        (rivals((30, "less-than"), (40, "less-than")), "can be true together"),
        (rivals((14, "exactly"), (15, "exactly"), unit="person(s)"), "1 person(s) between"),
        (rivals((60, "exactly"), (None, "exactly")), "no two values in numbers"),
        (rivals((1, "exactly"), (1, "exactly"), (None, "exactly")), "1 more in words only"),
    ],
)
def test_find_difference_of_rival_values(discrepancy: Discrepancy, text: str) -> None:
    """C-8: The difference is what the values force, and never more than that."""
    assert text in find_difference(discrepancy)


PLACE = """
[[places]]
name = "The place"
lat = 35.5
lon = 35.7
"""


def test_place_with_a_position_that_is_not_marked_derived_is_refused() -> None:
    """C-6: no source gave coordinates, so a position that passes for a source's is refused; marked as ours it is read."""
    start = SMALL.encode()
    with pytest.raises(UsageError) as caught:
        parse_timeline(start + (PLACE + 'sources = ["A1"]\ntext = "x"\n').encode())
    assert caught.value.field == "places[0].derived"
    derived = PLACE + 'derived = true\ntext = "x"\n'
    (place,) = parse_timeline(start + derived.encode()).places
    assert place.derived


@pytest.mark.parametrize(
    ("until", "least", "most"),
    [("22:03", "23 min 00 s", "25 min 00 s"), ("21:40", "0 s", "2 min 00 s")],
)
def test_find_interval_says_what_the_precision_of_two_minutes_leaves_open(
    until: str, least: str, most: str
) -> None:
    """C-9: between two times to the minute there can be a minute more or less."""
    zulu = f"2018-09-17T{int(until[:2]) - 3}{until[2:]}:00Z"
    text = SMALL.replace('about = "22:03"', f'about = "{until}"')
    timeline = parse_timeline(text.replace("2018-09-17T19:03:00Z", zulu).encode())
    found = find_interval(timeline, timeline.intervals[0])
    assert f"more than {least}" in found
    assert f"less than {most}" in found


def test_find_difference_does_not_depend_on_order() -> None:
    """Who is listed first does not change the difference."""
    values = [(60.0, "less-than"), (60.0, "exactly"), (75.0, "more-than")]
    assert find_difference(rivals(*values)) == find_difference(rivals(*reversed(values)))


def test_parse_timeline_small_is_whole() -> None:
    """A minimal record parses, keeps absolute times and shows an undated claim as undated."""
    timeline = parse_timeline(SMALL.encode())
    assert timeline.claim("a").at_us == parse_time("2018-09-17T18:39:00Z")
    assert timeline.claim("b").said_at == "undated"
    assert "24 min 00 s" in find_interval(timeline, timeline.intervals[0])


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('format = "detente-timeline-1"', 'format = "other"', "format"),
        ('title = "A small night"', "", "title"),
        ('content_note = "Somebody was hurt."', "", "content_note"),
        ('date = "2018-09-17"', 'date = "2018-13-17"', "date"),
        ('sources = ["A1"]', 'sources = ["ZZ"]', "statements[0].sources"),
        ('sources = ["A1"]', "sources = []", "statements[0].sources"),
        ('party = "two"', 'party = "three"', "statements[1].party"),
        ('id = "b"', 'id = "a"', "statements[1].id"),
        ('since = "a"', 'since = "zz"', "intervals[0].since"),
        ('at = "2018-09-17T19:03:00Z"', "", "intervals[0].until"),
        ('note = "a copy"', "", "sources[1].note"),
        ('kind = "claim"', 'kind = "finding"', "statements[1].kind"),
        ('kind = "claim"', 'kind = "claim"\nfinding = "x"', "statements[1].finding"),
    ],
)
def test_parse_timeline_wrong_field_is_named(old: str, new: str, field: str) -> None:
    """C-1, C-2, C-5, C-6: A wrong field is refused by its path; a claim cannot be turned into a finding."""
    assert old in SMALL
    with pytest.raises(UsageError) as caught:
        parse_timeline(SMALL.replace(old, new, 1).encode())
    assert caught.value.field == field
