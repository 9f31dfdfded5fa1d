"""The record taken to others: time stamps, fields withheld, opened and destroyed, by real nodes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tsa import NEEDS_OPENSSL, Authority


@NEEDS_OPENSSL
def test_bundle_stamped_on_request_is_bounded_by_the_authority_for_who_trusts_it(
    make: Any, kit: Any, tmp_path: Path
) -> None:
    """B-TSA-2, B-TSA-3: `prove --anchor` has the log stamped; `verify --tsa` counts it, and without it says that it was not checked."""
    authority, parties = Authority(tmp_path / "tsa"), make("north", "south")
    north = parties.north
    (north.dir / "tsa.pem").write_bytes(authority.certificate.read_bytes())
    with authority.served() as url:
        with (north.dir / "config.toml").open("a") as file:
            file.write(f'\n[timestamp]\nurl = "{url}"\ncertificate = "tsa.pem"\n')
        parties.start()
        parties.wait_open()
        ran = parties.file(north, kit.feature("S-1", 10, 50), "--wait", "delivered")
        assert ran.code == 0, ran.err
        bundle = tmp_path / "s.bundle"
        kit.ok("prove", north.dir, "S-1", "-o", bundle, "--anchor")
    kept = north.get("/api/v1/timestamps")
    assert (kept["configured"], kept["failing"], kept["newest"]["verified"]) == (True, None, True)
    trust = ("--trust", parties.agreement)
    found = kit.ok("verify", bundle, *trust, "--tsa", authority.certificate, "--json").json
    (one,) = [stamp for stamp in found["stamps"] if stamp["log"] == "detente/north/log/1"]
    assert (one["authority"], one["checked"]) == ("tsa:Exercise TSA", True)
    unchecked = kit.ok("verify", bundle, *trust)
    assert "not checked: give --tsa" in unchecked.out.replace("\n", "")
    other = Authority(tmp_path / "other").certificate
    assert kit.cli("verify", bundle, *trust, "--tsa", other).code == 1
    # the authority is gone: whoever asks for a stamp is told, everybody else goes on
    assert parties.file(north, kit.feature("S-2", 11, 50), "--wait", "delivered").code == 0
    gone = kit.cli("prove", north.dir, "S-2", "-o", tmp_path / "none", "--anchor")
    assert gone.code == 4
    assert not (tmp_path / "none").exists()
    kit.ok("prove", north.dir, "S-2", "-o", tmp_path / "plain")
    assert json.loads((tmp_path / "plain").read_bytes().split(b"\n")[1])["stamps"] == []
