"""What is closed, given away, destroyed, stamped and left out, as officers see it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tsa import NEEDS_OPENSSL, Authority

SECRET = "call sign of a courier"


def told(trio: Any, kit: Any, name: str, *options: object) -> None:
    """North files a notice with words, and south has it."""
    feature = kit.feature(name, 30, 50, text=SECRET, region="by the mill")
    ran = trio.file(trio.north, feature, "--wait", "delivered", *options)
    assert ran.code == 0, ran.err


def section(page: Any, title: str) -> Any:
    """A section of the notice, opened."""
    found = page.locator("aside details", has=page.locator("summary", has_text=title)).first
    if found.get_attribute("open") is None:
        found.locator("summary").first.click()
    return found


def test_withheld_field_is_marked_on_both_sides_and_destroyed_one_with_who_and_why(
    trio: Any, officer: Any, kit: Any
) -> None:
    """S-HOLD-1, B-DESTROY-2: south reads that there is a text it is not shown, north from whom; then when, by whom and why it was destroyed, and the timeline says so."""
    told(trio, kit, "HELD", "--withhold", "south:text")
    south = officer(trio.south, "lee").enter("notices/north%3AHELD")
    facts = section(south, "Facts")
    expect(facts).to_contain_text(re.compile("Withheld by .?North.?: it was said"))
    assert SECRET not in south.locator("body").inner_text()
    console = officer(trio.north, "kay")
    north = console.enter("notices/north%3AHELD")
    expect(section(north, "Facts")).to_contain_text(re.compile("Withheld from .?South"))
    expect(section(north, "Facts")).to_contain_text(SECRET)
    kit.ok("destroy", trio.north.dir, "HELD", "--field", "text", "--reason", "it endangers him")
    facts = section(north, "Facts")
    expect(facts).to_contain_text(re.compile("Destroyed on .* by .*it endangers him"))
    expect(facts).not_to_contain_text(SECRET)
    lines = section(north, "Timeline")
    expect(lines).to_contain_text(re.compile("Destroyed in this record: .?Text"))
    expect(lines).to_contain_text(re.compile(r"Made (between|no later|at a time).*; claimed"))
    assert SECRET not in north.locator("body").inner_text()


@NEEDS_OPENSSL
def test_proof_panel_leaves_fields_out_of_the_bundle_and_shows_the_stamp(
    trio: Any, officer: Any, kit: Any, tmp_path: Path
) -> None:
    """B-TSA-3: the panel names who stamped the record and when; what is ticked is left out of the file, which verifies."""
    authority = Authority(tmp_path / "tsa")
    (trio.north.dir / "tsa.pem").write_bytes(authority.certificate.read_bytes())
    with authority.served() as url:
        with (trio.north.dir / "config.toml").open("a") as file:
            file.write(f'\n[timestamp]\nurl = "{url}"\ncertificate = "tsa.pem"\n')
        trio.north.stop()
        trio.north.start()
        trio.wait_open()
        told(trio, kit, "LEFT")
        kit.ok("prove", trio.north.dir, "LEFT", "-o", tmp_path / "whole", "--anchor")
    page = officer(trio.north, "rae", "records").enter("notices/north%3ALEFT")
    panel = section(page, "Proof")
    expect(panel).to_contain_text(re.compile("was stamped by .?Exercise TSA.?, no later than"))
    panel.get_by_label("Text").check()
    expect(panel).to_contain_text("It can be opened later.")
    with page.expect_download() as saved:
        panel.get_by_role("button", name="Save bundle").click()
    bundle = tmp_path / "left.bundle"
    saved.value.save_as(bundle)
    trust = ("--trust", trio.agreement, "--tsa", authority.certificate, "--json")
    found = kit.ok("verify", bundle, *trust).json
    assert found["statement"]["withheld"] == ["text"]
    assert found["statement"]["body"]["region"] == "by the mill"
    assert SECRET.encode() not in bundle.read_bytes()


def test_proof_panel_marks_what_a_stolen_key_signed(trio: Any, officer: Any, kit: Any) -> None:
    """S-REV-2: south's panel says that the key is said to be compromised, since when and by whom; the next notice bears no mark."""
    told(trio, kit, "STOLEN")
    found = kit.ok("keys", "list", trio.north.dir, "--json").json["keys"]
    old = next(one["key"] for one in found if one["use"] == "signing")
    kit.ok("keys", "rotate", trio.north.dir)

    def in_use() -> bool:
        rows = kit.ok("keys", "list", trio.north.dir, "--json").json["keys"]
        return bool([one for one in rows if one["use"] == "signing"][-1]["in_use"])

    kit.until(in_use, "the new key is in use")
    why = ("--reason", "compromised", "--since", "2020-01-01T00:00:00Z")
    kit.ok("keys", "revoke", trio.north.dir, old, *why)
    told(trio, kit, "SAFE")
    page = officer(trio.south, "lee").enter("notices/north%3ASTOLEN")
    words = re.compile("Signed by a key that .?North.? says was compromised since .*JAN 20")
    expect(section(page, "Proof")).to_contain_text(words)
    page = officer(trio.south, "lee").enter("notices/north%3ASAFE")
    panel = section(page, "Proof")
    expect(panel).to_contain_text("Proven:")
    expect(panel).not_to_contain_text("compromised")
