"""Measures the console in headless Chromium on two real nodes; `make bench-console`. Absolute times drift with the machine.

first    first view with 1,000 notices: from the start of navigation until rows and map are drawn; JavaScript loaded, gzipped
alarm    notice filed at one node until the alarm is drawn at the other
cease    key pressed in one console until the cease request is drawn in the other, with 1,000 live notices at both
pan      main-thread work of one pan of the map with 10,000 notices
day      24 simulated hours: heap after garbage collection, hour by hour
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import threading
import time
from pathlib import Path
from typing import Any

from consoles import Stand, feature, square, stand, wait
from playwright.sync_api import Page

from detente.cli.client import Api
from detente.units import US_PER_S

STATIC = Path(__file__).resolve().parent.parent / "src" / "detente" / "node" / "static"
HOUR_US = 3600 * US_PER_S
ROUNDS = 7
ALARMS = 120
CEASES = 120
CLIENTS = 6
PANS_WARM = 6  # the browser compiles what it has seen run
PANS = 12


def until(page: Page, expression: str, seconds: float = 60.0) -> None:
    """Wait until an expression holds; asked through the debugger, since the page's policy forbids eval."""
    wait(lambda: page.evaluate(expression), seconds)


def fill(at: Stand, first: int, last: int) -> None:
    """File notices first to last at North, spread over a sea and a day, few of them near each other."""
    now = at.now_us()
    numbers = iter(range(first, last))
    lock = threading.Lock()

    def work() -> None:
        with Api(at.nodes.path("north")) as api:
            while True:
                with lock:
                    n = next(numbers, None)
                if n is None:
                    return
                lon, lat = -55 + (n * 7 % 400) * 0.11, 5 + (n * 13 % 300) * 0.11
                one = feature(
                    f"B-{n}", square(lon, lat, 0.08, 0.08), now + HOUR_US // 2 + (n % 20) * HOUR_US // 4,
                    90, (100 + n % 200, "FL", "STD"), (110 + n % 200, "FL", "STD"),
                )  # fmt: skip
                api.json("POST", "/api/v1/notices", content=json.dumps(one).encode())

    threads = [threading.Thread(target=work) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Api(at.nodes.path("north")) as api:
        wait(lambda: not any(row["waiting"] for row in api.json("GET", "/api/v1/status")["lines"]), 600)  # fmt: skip


def bench_first(at: Stand) -> dict[str, Any]:
    """The first view, cold cache each time, session there."""
    context = at.context(viewport={"width": 1366, "height": 768})
    at.enter(context, "north").close()
    state = context.storage_state()
    times, scripts = [], set()
    for _ in range(ROUNDS):
        fresh = at.context(viewport={"width": 1366, "height": 768}, storage_state=state)
        page = fresh.new_page()
        page.on("request", lambda r: scripts.add(r.url) if r.resource_type == "script" else None)
        with Api(at.nodes.path("north")) as api:
            address = "http://localhost:" + api.home.config.api.rpartition(":")[2]
        page.goto(f"{address}/#/notices", wait_until="commit")
        until(
            page,
            "document.querySelector('#work [role=option]') && document.querySelector('.stage [data-drawn]')",
        )
        times.append(page.evaluate("performance.now()"))
        page.wait_for_timeout(500)
        fresh.close()
    size = sum(
        len(gzip.compress((STATIC / "assets" / url.rpartition("/")[2]).read_bytes(), 9))
        for url in scripts
        if (STATIC / "assets" / url.rpartition("/")[2]).exists()
    )
    return {"median_ms": statistics.median(times), "worst_ms": max(times), "js_gz_kb": size / 1024}


def bench_alarm(at: Stand) -> dict[str, Any]:
    """From the request at North until the alarm's text changed in South's alarm bar; both clocks are this machine's."""
    page = at.enter(at.context(viewport={"width": 1366, "height": 768}), "south")
    start = at.now_us() + 60 * HOUR_US
    box = (100, "FL", "STD"), (150, "FL", "STD")
    at.file("south", feature("WIDE", square(31, 33, 1, 1), start, 600, *box))
    page.evaluate(
        """() => { window.seen = {}; new MutationObserver(() => {
            const text = document.querySelector('.bar .words')?.textContent ?? '';
            for (const [id] of text.matchAll(/MEET-\\d+/g)) window.seen[id] ??= performance.timeOrigin + performance.now();
        }).observe(document.body, {subtree: true, childList: true, characterData: true}) }"""
    )
    times = []
    with Api(at.nodes.path("north")) as api:
        for n in range(ALARMS):
            one = feature(f"MEET-{n}", square(31.2, 33.2, 0.1, 0.1), start, 60, *box)
            began = time.time() * 1000
            api.json("POST", "/api/v1/notices", content=json.dumps(one).encode())
            until(page, f"window.seen['MEET-{n}']")
            times.append(page.evaluate(f"window.seen['MEET-{n}']") - began)
            time.sleep(0.05)
    page.context.close()
    times = sorted(times[10:])
    return {"p50_ms": statistics.median(times), "p99_ms": times[int(len(times) * 0.99)], "n": len(times)}  # fmt: skip


def bench_cease(at: Stand) -> dict[str, Any]:
    """From the key that sends, in North's console, until South's console shows the reason; both clocks are this machine's."""
    pages = {
        party: at.enter(at.context(viewport={"width": 1366, "height": 768}), party)
        for party in ("north", "south")
    }
    north, south = pages["north"], pages["south"]
    north.evaluate(
        """() => document.addEventListener('keydown', (event) => {
            if (event.key === 'Enter') window.pressed = performance.timeOrigin + performance.now();
        }, true)"""
    )
    south.evaluate(
        """() => { window.seen = {}; new MutationObserver(() => {
            for (const box of document.querySelectorAll('.bar .words, section.urgent'))
                for (const [id] of box.textContent.matchAll(/stop-\\d+\\./g)) window.seen[id] ??= performance.timeOrigin + performance.now();
        }).observe(document.body, {subtree: true, childList: true, characterData: true}) }"""
    )
    times = []
    with Api(at.nodes.path("south")) as api:
        live = sum(row["phase"] != "ended" for row in api.json("GET", "/api/v1/notices")["notices"])
        for n in range(CEASES):
            north.keyboard.press("Alt+c")
            north.locator("#cease input").first.fill(f"stop-{n}.")
            north.keyboard.press("Enter")
            until(south, f"window.seen['stop-{n}.']")
            times.append(
                south.evaluate(f"window.seen['stop-{n}.']") - north.evaluate("window.pressed")
            )
            north.keyboard.press("Escape")
            (asked,) = [row for row in api.json("GET", "/api/v1/urgent")["urgent"] if row["open"]]
            api.json("POST", f"/api/v1/ceases/{asked['id']}/effective", body={})
            until(north, "!document.querySelector('dialog[open]')")
    for page in pages.values():
        page.context.close()
    times = sorted(times)
    return {"p50_ms": statistics.median(times), "p99_ms": times[int(len(times) * 0.99)], "n": len(times), "live_notices": live}  # fmt: skip


def bench_pan(at: Stand) -> dict[str, Any]:
    """Processor time of the main thread (script, style, layout, paint) in one drag of the map by 300 px."""
    page = at.enter(at.context(viewport={"width": 1366, "height": 768}), "north")
    until(page, "document.querySelector('.stage [data-drawn]')?.dataset.drawn >= 10000")
    page.wait_for_timeout(3000)
    client = page.context.new_cdp_session(page)
    # processor time of the main thread: a shared machine stops and starts it at will
    client.send("Performance.setTimeDomain", {"timeDomain": "threadTicks"})
    client.send("Performance.enable")

    def work_s() -> float:
        rows = client.send("Performance.getMetrics")["metrics"]
        return float(next(row["value"] for row in rows if row["name"] == "TaskDuration"))

    box = page.locator(".stage canvas").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 3
    idle_began = work_s()
    page.wait_for_timeout(1000)
    idle = work_s() - idle_began
    pans = []
    for turn in range(PANS_WARM + PANS):
        way = 150 if turn % 2 else -150
        before, began = work_s(), time.monotonic()
        page.mouse.move(x - way, y)
        page.mouse.down()
        for step in range(10):
            page.mouse.move(x - way + way * 2 * (step + 1) / 10, y)
        page.mouse.up()
        page.wait_for_timeout(700)
        pans.append((work_s() - before - idle * (time.monotonic() - began)) * 1000)
    pans = pans[PANS_WARM:]
    page.context.close()
    return {"median_ms": statistics.median(pans), "worst_ms": max(pans), "notices": 10_000}


FAKE = """
window.EventSource = class extends EventTarget {
  static OPEN = 1;
  readyState = 1;
  constructor() { super(); window.stream = this; }
  close() { this.readyState = 2; }
  say(kind, data) { this.dispatchEvent(new MessageEvent(kind, {data: JSON.stringify(data)})); }
};
"""

HOUR = """
async ({rows, hour, head, stepS}) => {
  const t0 = Date.parse(head.now) + hour * 3600e3;
  for (let s = 0; s < 3600; s += stepS) {
    const now = new Date(t0 + s * 1000).toISOString();
    const tick = {now, clock: head.clock, revision: window.revision, lines: head.lines, ledger: head.ledger,
                  alarms: {emergency: 0, warning: 0, caution: 0, over: 0}};
    window.stream.say('tick', tick);
    if (s % 60 === 0) {  // a minute: one row amended, as a receipt or a new version would
      const row = rows[(hour * 60 + s / 60) % rows.length];
      const start = t0 + s * 1000 + 600e3;
      window.revision += 1;
      const changed = {...row, version: row.version + hour, start: new Date(start).toISOString(), end: new Date(start + 3600e3).toISOString(),
        pieces: row.pieces.map(p => ({...p, start: new Date(start).toISOString(), end: new Date(start + 3600e3).toISOString()}))};
      window.stream.say('picture', {...head, now, since: window.revision - 1, revision: window.revision, notices: [changed], conflicts: [], alarms: []});
      await new Promise(requestAnimationFrame);
    }
  }
}
"""


def bench_day(at: Stand) -> dict[str, Any]:
    """24 hours of ticks and changes through the console's own code, as fast as it takes them."""
    page = at.context(viewport={"width": 1366, "height": 768}).new_page()
    page.goto(at.link("north"))
    page.locator("button.first").click()
    page.locator("main button.first").wait_for()
    picture = page.evaluate("fetch('/api/v1/picture?since=0').then(r => r.json())")
    page.close()
    context = at.context(viewport={"width": 1366, "height": 768})
    context.add_init_script(FAKE)
    page = at.enter(context, "north")
    head = {k: v for k, v in picture.items() if k not in ("notices", "conflicts", "alarms")}
    rows = picture["notices"][:500]
    page.evaluate(
        "p => { window.revision = p.revision; window.stream.say('picture', p) }",
        {**head, "since": 0, "notices": rows, "conflicts": [], "alarms": []},
    )
    client = page.context.new_cdp_session(page)
    heaps = []
    for hour in range(24):
        page.evaluate(HOUR, {"rows": rows, "hour": hour, "head": head, "stepS": 1})
        page.wait_for_timeout(200)
        client.send("HeapProfiler.collectGarbage")
        counts = client.send("Memory.getDOMCounters")
        used = page.evaluate("performance.memory.usedJSHeapSize")
        heaps.append((used / 1e6, counts["nodes"], counts["jsEventListeners"]))
        print(f"  hour {hour + 1}: {used / 1e6:.1f} MB, {counts['nodes']} nodes, {counts['jsEventListeners']} listeners", flush=True)  # fmt: skip
    page.context.close()
    third = [row[0] for row in heaps[4:8]], [row[0] for row in heaps[-4:]]
    return {
        "hours_5_to_8_mb": statistics.median(third[0]),
        "hours_21_to_24_mb": statistics.median(third[1]),
        "nodes": [heaps[4][1], heaps[-1][1]],
        "listeners": [heaps[4][2], heaps[-1][2]],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=["first", "alarm", "cease", "pan", "day"])
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    results: dict[str, Any] = {}

    def run(name: str, act: Any) -> None:
        if given.only in (None, name):
            results[name] = act()
            print(f"{name}: {results[name]}", flush=True)

    with stand({"exercise_only": True}) as at:
        run("alarm", lambda: bench_alarm(at))
        fill(at, 0, 1000)
        run("first", lambda: bench_first(at))
        run("cease", lambda: bench_cease(at))
        run("day", lambda: bench_day(at))
        if given.only in (None, "pan"):
            fill(at, 1000, 10_000)
            run("pan", lambda: bench_pan(at))
    if given.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
