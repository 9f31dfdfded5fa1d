"""docs/spec/notice.md and airspace-model.md say what the code does."""

import hashlib
import re
from pathlib import Path

import msgspec
import pytest
import rfc8785

from detente import limits
from detente.airspace import earth
from detente.airspace.altitude import DatumBounds
from detente.conflict.strategic import ENGINE_SPEC
from detente.interop.geojson import parse_notice_geojson
from detente.notice.activity import ACTIVITIES, parse_activity_body

SPEC = Path(__file__).parents[3] / "docs" / "spec"


@pytest.fixture(scope="module")
def notice_page():
    """The page on notices."""
    return (SPEC / "notice.md").read_text()


@pytest.fixture(scope="module")
def model_page():
    """The page on the airspace model."""
    return (SPEC / "airspace-model.md").read_text()


def test_worked_example_has_the_bytes_on_the_page(notice_page):
    """The file on the page has the canonical body and digest on the page."""
    source, body = re.findall(r"```(?:json|text)\n(.*?)\n```", notice_page, re.DOTALL)
    notice = parse_notice_geojson(source.encode())
    assert rfc8785.dumps(notice.body()).decode() == body
    assert hashlib.sha256(body.encode()).hexdigest() in notice_page
    assert parse_activity_body(msgspec.json.decode(body), name="A-1", exercise=False) == notice


def test_body_sorted_by_msgspec_is_canonical(notice_page):
    """The engine orders two notices by a digest of the same bytes that RFC 8785 gives."""
    source = re.findall(r"```json\n(.*?)\n```", notice_page, re.DOTALL)[0]
    text = source.replace("Latakia coast", 'Лата́кия \\n\\t\\\\ \\" / é 海 😀')
    body = parse_notice_geojson(text.encode()).body()
    assert msgspec.json.encode(body, order="sorted") == rfc8785.dumps(body)


def test_notice_page_names_every_activity_and_limit(notice_page):
    """Names and limits on the page are those of the code."""
    listed = re.search(r"Activities: (.*?)\. Another", notice_page, re.DOTALL)[1]
    assert tuple(re.split(r",\s+", listed)) == ACTIVITIES
    for value in (
        limits.VERTICES_PER_PIECE,
        limits.VERTICES_PER_NOTICE,
        limits.PIECES_PER_NOTICE,
        limits.EDGE_PARTS_PER_NOTICE,
        limits.TEXT_CHARS,
    ):
        assert f"{value:,}" in notice_page


def test_model_page_states_the_constants_of_the_code(model_page):
    """A reader can implement the model from the page alone."""
    for value in (earth.PI_Q, earth.E2_Q, earth.AXIS_RATIO_Q):
        assert str(value) in model_page
    for value in (earth.MAJOR_TENTH_MM, earth.MEAN_RADIUS_TENTH_MM, limits.EDGE_PAIRS_PER_PAIR):
        assert f"{value:,}" in model_page
    assert f"engine spec {ENGINE_SPEC}" in model_page
    vector = earth.earth_point(35_787_700_000, 35_523_600_000)
    assert f"is ({', '.join(map(str, vector))})" in model_page


def test_model_page_states_every_default_bound(model_page):
    """Each default datum bound stands on the page, with its reason."""
    bounds = DatumBounds()
    assert f"{bounds.qnh_min_pa:,} and {bounds.qnh_max_pa:,}" in model_page
    assert f"{bounds.cold_permille} and {bounds.warm_permille}" in model_page
    assert (
        f"{bounds.geoid_min_tenth_mm // 10_000} m and {bounds.geoid_max_tenth_mm // 10_000} m"
        in model_page
    )
    terrain = (
        f"{bounds.terrain_min_tenth_mm // 10_000} m and {bounds.terrain_max_tenth_mm // 10_000:,} m"
    )
    assert terrain in model_page
