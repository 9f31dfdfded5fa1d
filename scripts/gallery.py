"""Takes the pictures of the console that stand in docs/gallery and in its help: a fictional exercise on two real nodes.

    .venv/bin/python scripts/gallery.py            the chosen set, into docs/gallery and console/src/help/pictures
    .venv/bin/python scripts/gallery.py --all DIR  every view, size, light and language, into DIR, for a review

The place is open sea between Cyprus and Egypt, chosen because nothing is there.
"""

from __future__ import annotations

import argparse
import json
import signal
import time
from pathlib import Path
from urllib.parse import quote

from consoles import Stand, feature, square, stand, wait
from playwright.sync_api import Page

from detente.cli.client import Api
from detente.units import US_PER_S, format_time

ROOT = Path(__file__).resolve().parent.parent
SIZES = {"laptop": (1366, 768), "desk": (1920, 1080), "phone": (390, 844)}
LANGUAGES = ("en", "ru", "he", "ar")
MINUTE_US = 60 * US_PER_S

# what the README, the documents and the help show
CHOSEN = [
    *((view, "laptop", "night", "en") for view in
      ("sign-in", "watch", "notice", "conflict", "alarms", "filing", "ask", "lines", "settings", "help", "locked", "print")),
    *((view, "desk", "night", "en") for view in ("watch", "conflict", "filing")),
    *((view, "phone", "night", "en") for view in ("watch", "map", "notice", "alarms", "filing")),
    *((view, "laptop", "day", "en") for view in ("watch", "conflict", "filing", "ask")),
    ("watch", "laptop", "dim", "en"),
    *((view, "laptop", "night", language) for language in ("ru", "he", "ar") for view in ("sign-in", "watch", "conflict", "filing")),
    *(("watch", "phone", "day", language) for language in ("ru", "he", "ar")),
    *((view, "laptop", "night", language) for language in ("en", "ru", "ar") for view in ("ladder", "talk", "desks")),
    *((view, "laptop", "day", "en") for view in ("ladder", "talk", "lines")),
    *(("urgent", *how) for how in (("laptop", "night", "en"), ("phone", "night", "en"), ("laptop", "day", "en"), ("laptop", "night", "ar"))),
    ("not-live", "laptop", "night", "en"),
]  # fmt: skip
VIEWS = (
    "sign-in", "watch", "map", "notice", "conflict", "alarms", "filing", "ask", "lines", "settings", "help", "print", "locked",
    "ladder", "talk", "desks", "urgent",
)  # fmt: skip
HELP = ("watch", "notice", "conflict", "filing", "ask", "locked", "not-live")


def play(at: Stand) -> None:
    """What both parties file: near, far, over, late, cancelled, one clash, one that nobody can tell."""
    now = at.now_us() // MINUTE_US * MINUTE_US
    fl, ft, agl = (
        (lambda v: (v, "FL", "STD")),
        (lambda v: (v, "ft", "MSL")),
        (lambda v: (v, "ft", "AGL")),
    )
    line = {"type": "LineString", "coordinates": [[30.6, 33.4], [32.4, 33.7]]}
    north = [
        feature("N-101", square(31.0, 33.3, 1.0, 0.5), now + 25 * MINUTE_US, 120, fl(180), fl(220), region="south of Cyprus"),
        feature("N-102", {"type": "Point", "coordinates": [32.6, 33.0]}, now + 45 * MINUTE_US, 50, ft(0), ft(2000), activity="sar", radius_nm=8),
        feature("N-103", square(29.6, 32.6, 0.7, 0.4), now + 70 * MINUTE_US, 90, ft(3000), ft(9000), activity="uas"),
        feature("N-104", square(32.7, 33.7, 0.4, 0.3), now + 20 * MINUTE_US, 30, agl(0), agl(1500), activity="uas"),
        feature("N-105", {"type": "LineString", "coordinates": [[29.5, 33.9], [30.4, 34.1], [31.2, 33.95]]}, now + 190 * MINUTE_US, 60, fl(240), fl(280), activity="tanker", half_width_nm=10),
    ]  # fmt: skip
    south = [
        feature("S-31", line, now + 40 * MINUTE_US, 40, fl(200), fl(230), activity="transit", half_width_nm=5, region="south of Cyprus", text="Two transports, one crossing. Can climb."),
        feature("S-32", square(33.2, 32.4, 0.6, 0.6), now + 6 * MINUTE_US, 90, ft(500), ft(4000), activity="recon"),
        feature("S-33", square(30.0, 32.0, 0.8, 0.35), now + 130 * MINUTE_US, 60, fl(100), fl(140), activity="training"),
        feature("S-34", square(32.75, 33.72, 0.3, 0.25), now + 20 * MINUTE_US, 60, ft(0), ft(1200), activity="transport"),
    ]  # fmt: skip
    for one in north:
        at.file("north", one)
    for one in south:
        at.file("south", one)
    with Api(at.nodes.path("north")) as api:
        api.json("POST", "/api/v1/notices/N-105/cancel", body={"reason": "tanker not available"})


def speak(at: Stand) -> None:
    """What both desks say of it: read back, passed on, asked and answered."""
    now = at.now_us() // MINUTE_US * MINUTE_US
    with Api(at.nodes.path("north")) as north, Api(at.nodes.path("south")) as south:
        for api in (north, south):
            desk = api.json("GET", "/api/v1/roster")["desks"][0]
            body = {"desk": desk, "languages": ["en", "ru" if api is north else "ar"], "from": format_time(now - 60 * MINUTE_US), "until": format_time(now + 420 * MINUTE_US)}  # fmt: skip
            api.json("POST", "/api/v1/roster", body=body)
        about = "/api/v1/notices/south:S-31"
        start, end = now + 40 * MINUTE_US, now + 80 * MINUTE_US
        north.json("POST", f"{about}/read-back", body={"place": "333300N 0313000E", "from": format_time(start), "until": format_time(end), "words": "corridor south of Cyprus, two transports"})  # fmt: skip
        north.json("POST", f"{about}/disseminated", body={"units": [{"unit": "Radar East", "told": format_time(now), "acknowledged": format_time(now)}, {"unit": "Battery 4", "told": format_time(now), "acknowledged": None}]})  # fmt: skip
        asked = south.json("POST", "/api/v1/talks", body={"desk": desk, "precedence": "priority", "text": "Can your patrol stay at or above FL 250 until 40 past?", "exercise": True})  # fmt: skip
        wait(lambda: north.json("GET", "/api/v1/talks")["talks"])
        answer = north.json("GET", "/api/v1/talks")["talks"][0]["key"]
        said = {"desk": desk, "precedence": "urgent", "thread": answer, "exercise": True}
        slots = {"callsign": "CEDAR 12", "place": {"lat": 33_550_000_000, "lon": 31_500_000_000}, "altitude": {"tenth_mm": 21_000 * 3048, "unit": "FL", "datum": "STD"}, "time": format_time(start)}  # fmt: skip
        south.json("POST", "/api/v1/talks", body={**said, "phrase": "traffic.aircraft-at", "slots": slots})  # fmt: skip
        assert asked


def cry(at: Stand) -> None:
    """A cease request of South's that nobody has answered yet."""
    with Api(at.nodes.path("north")) as north, Api(at.nodes.path("south")) as south:
        if not any(row["open"] for row in north.json("GET", "/api/v1/urgent")["urgent"]):
            south.json("POST", "/api/v1/ceases", body={"reason": "Own aircraft inside the area, fire seen", "place": "333300N 0313000E", "exercise": True})  # fmt: skip
            wait(lambda: any(row["open"] for row in north.json("GET", "/api/v1/urgent")["urgent"]))


class Camera:
    """Takes pictures of one console."""

    def __init__(self, at: Stand) -> None:
        self.at = at
        with Api(at.nodes.path("north")) as api:
            rows = api.json("GET", "/api/v1/conflicts")["conflicts"]
            for row in rows:  # the first advice of a node takes seconds
                api.json("GET", f"/api/v1/conflicts/{row['id']}/advice")
            self.talk = api.json("GET", "/api/v1/talks")["talks"][0]["key"]
        self.conflict = next(row["id"] for row in rows if row["verdict"] == "conflict")

    def page(self, view: str, size: str, light: str, language: str) -> Page:
        """A page as it is to be taken."""
        width, height = SIZES[size]
        context = self.at.context(viewport={"width": width, "height": height})
        kept = json.dumps({"light": light, "letters": True, "volume": 0.5, "zone": "Asia/Nicosia"})
        # forms are filled by their English labels; the language is chosen afterwards
        first = "en" if view in ("filing", "ask") else language
        context.add_init_script(
            f"localStorage.setItem('settings', {json.dumps(kept)});"
            f"localStorage.getItem('language') ?? localStorage.setItem('language', '{first}')"
        )
        if view == "sign-in":
            page = context.new_page()
            page.goto(self.at.link("north").split("#")[0])
            page.locator("form input").first.wait_for()
            return page
        page = self.at.enter(context, "north")
        if view == "map":
            page.locator(".map-turn").click()
        elif view in ("alarms", "desks", "lines", "settings", "help"):
            self.at.go(page, view)
        elif view == "urgent":
            page.locator("section.urgent").wait_for()
        elif view == "talk":
            self.at.go(page, f"talk/{quote(self.talk, safe='')}")
        elif view in ("notice", "ladder", "conflict", "print"):
            self.at.go(
                page,
                {
                    "notice": "notices/south%3AS-31",
                    "ladder": "notices/south%3AS-31",
                    "conflict": f"conflicts/{self.conflict}",
                    "print": f"print/conflict%3A{self.conflict}",
                }[view],
            )
        elif view == "filing":
            self.fill(page)
        elif view == "ask":
            self.ask(page)
        elif view == "locked":
            page.locator("header .tools button").nth(-2).click()
            page.locator("main form").wait_for()
        elif view == "not-live":
            self.at.nodes.stop("north", signal.SIGKILL)
            page.get_by_role("alertdialog").wait_for(timeout=15_000)
        if first != language:
            page.locator("header select").select_option(language)
        return page

    def fill(self, page: Page) -> None:
        """A notice ready to send, with what the check says of it."""
        self.at.go(page, "file")
        page.get_by_label("Type or paste positions").fill(
            "333000N 0312000E\n333000N 0320000E\n330500N 0320000E\n330500N 0312000E"
        )
        page.get_by_role("button", name="Use this shape").click()
        for label, text in (
            ("Lower edge", "FL200"),
            ("Upper edge", "FL240"),
            ("Start", "+50 min"),
            ("End", "+60 min"),
        ):
            page.get_by_label(label, exact=True).fill(text)
            page.get_by_label(label, exact=True).blur()
        page.get_by_text("Would meet").first.wait_for()

    def ask(self, page: Page) -> None:
        """A question and its answer."""
        self.at.go(page, "ask")
        page.get_by_label("Type or paste positions").fill("333300N 0313000E 10NM")
        page.get_by_role("button", name="Use this shape").click()
        page.get_by_label("From", exact=True).fill("+30 min")
        page.get_by_label("Until", exact=True).fill("+120 min")
        page.get_by_role("button", name="Ask", exact=True).click()
        page.get_by_text("Yes.").first.wait_for()

    def take(self, view: str, size: str, light: str, language: str, to: Path) -> Path:
        """One picture."""
        page = self.page(view, size, light, language)
        page.wait_for_timeout(900)  # tiles, fonts, the next tick
        if view == "ladder":
            page.locator("ul.recipients").first.scroll_into_view_if_needed()
        path = to / f"{view}-{size}-{light}-{language}.png"
        page.screenshot(path=path)
        page.context.close()
        return path


def write_index(to: Path) -> None:
    """A page of all pictures, by view."""
    names = {"night": "at night", "day": "by day", "dim": "dimmed", "en": "English", "ru": "Russian", "he": "Hebrew", "ar": "Arabic"}  # fmt: skip
    lines = [
        "# Gallery",
        "",
        "The console of party North in a fictional exercise, on two real nodes. Made by `make gallery`.",
    ]
    for view in dict.fromkeys(shot[0] for shot in CHOSEN):
        lines += ["", f"## {view.capitalize().replace('-', ' ')}"]
        for _, size, light, language in (shot for shot in CHOSEN if shot[0] == view):
            width, height = SIZES[size]
            words = f"{width} x {height}, {names[light]}, {names[language]}"
            lines += ["", f"{words}:", "", f"![{view}, {words}]({view}-{size}-{light}-{language}.png)"]  # fmt: skip
    (to / "README.md").write_text("\n".join(lines) + "\n", "utf-8")


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--all", type=Path, metavar="DIR", help="every view, size, light and language, into DIR"
    )
    parser.add_argument("--only", help="only pictures whose name contains this")
    parser.add_argument(
        "--into", type=Path, metavar="DIR", help="the chosen set into DIR instead of the documents"
    )
    given = parser.parse_args()
    gallery, pictures = ROOT / "docs" / "gallery", ROOT / "console" / "src" / "help" / "pictures"
    wanted = CHOSEN
    if given.all:
        wanted = [
            (v, s, li, la)
            for v in VIEWS  # the urgent last
            for s in SIZES
            for li in ("night", "day")
            for la in LANGUAGES
        ]
    to = given.all or given.into or gallery
    to.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    taken = 0
    with stand({"exercise_only": True}) as at:
        play(at)
        speak(at)
        camera = Camera(at)
        for shot in wanted:
            if given.only and given.only not in "-".join(shot):
                continue
            if shot[0] == "urgent":  # from here on it stands on every view
                cry(at)
            path = camera.take(*shot, to)
            taken += 1
            print(path.name, flush=True)
            if to == gallery and shot[1:] == ("laptop", "night", "en") and shot[0] in HELP:
                pictures.mkdir(parents=True, exist_ok=True)
                (pictures / f"{shot[0]}.png").write_bytes(path.read_bytes())
    if to == gallery:
        write_index(to)
    print(
        f"{taken} pictures in {time.monotonic() - began:.0f} s, {format_time(int(time.time() * US_PER_S))}"
    )


if __name__ == "__main__":
    main()
