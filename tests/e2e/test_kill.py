"""kill -9 of either node at any moment, over and over, while both sides file."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

import httpx

KILLS = 50
CELLS = 60  # places; notices of both sides meet in some of them
OPEN_EVERY = 6  # kills after which both sides get the time to deliver: so receipts are held, too


class Officer(threading.Thread):
    """Files notices at one node without pause, and remembers what was acknowledged."""

    def __init__(self, node: Any, kit: Any, seed: int) -> None:
        super().__init__(name=f"officer of {node.party}", daemon=True)
        self.node, self.kit = node, kit
        self.chance = random.Random(seed)
        self.over = threading.Event()
        self.filed: list[str] = []  # ids for which `notice file` would have exited 0
        self.receipted: set[str] = set()  # ids whose receipt this side held at some time
        self.tries = 0
        self.odd: list[str] = []

    def run(self) -> None:
        """File until told to stop; a node that is down is tried again."""
        client = None
        while not self.over.is_set():
            if client is None:
                client = self.node.http()
            self.tries += 1
            name = f"K-{self.tries}"
            place = self.chance.randrange(CELLS)
            body = self.kit.feature(name, -150 + 5 * place, 0)
            try:
                if self.tries % 5 == 0:
                    rows = client.get("/api/v1/notices").json()["notices"]
                    self.receipted |= {r["id"] for r in rows if r["state"] == "delivered"}
                answer = client.post("/api/v1/notices", json=body)
            except httpx.HTTPError:
                client.close()
                client = None
                time.sleep(0.02)
                continue
            if answer.status_code != 201:
                if answer.status_code != 503:
                    self.odd.append(answer.text)
                continue
            self.filed.append(answer.json()["id"])
            time.sleep(self.chance.uniform(0.02, 0.12))


def test_everything_acknowledged_survives_50_kills_on_both_sides(make: Any, kit: Any) -> None:
    """After 50 kills at random moments every acknowledged notice is on both sides, both ledgers
    verify, both sides know the same conflicts, and nobody is called a liar."""
    seed = 20_180_917
    chance = random.Random(seed)
    parties = make()
    pair = [parties.north, parties.south]
    parties.start("north", "south")
    parties.wait_open()
    officers = [Officer(node, kit, seed + i) for i, node in enumerate(pair)]
    for officer in officers:
        officer.start()
    for i in range(KILLS):
        node = pair[i % 2] if i < KILLS // 2 else chance.choice(pair)
        time.sleep(chance.choice([0.02, 0.1, 0.3, 0.6]) * chance.random())
        node.kill()
        node.start(wait=False)
        # now and then it is killed while it starts
        if chance.random() < 0.8:
            node.wait_ready()
        if i % OPEN_EVERY == OPEN_EVERY - 1:
            for one in pair:
                one.wait_ready()
            parties.wait_open()
            time.sleep(0.3)
    for node in pair:
        node.wait_ready()
    for officer in officers:
        officer.over.set()
    for officer in officers:
        officer.join(40)
        assert not officer.is_alive()
        assert officer.odd == []
    parties.wait_open()
    parties.settle()
    filed = {one for officer in officers for one in officer.filed}
    receipted = {one for officer in officers for one in officer.receipted}
    filed |= receipted
    assert len(filed) > 2 * KILLS
    assert len(receipted) > KILLS
    for node in pair:
        known = node.notices()
        assert filed - set(known) == set()
        own = [row for row in known.values() if row["party"] == node.party]
        assert {row["state"] for row in own} == {"delivered"}
    conflicts = [node.conflicts() for node in pair]
    assert conflicts[0] == conflicts[1]
    assert conflicts[0]
    for node in pair:
        audit = kit.ok("ledger", "verify", node.dir, "--json").json
        assert audit["consistent"], audit["problems"]
        assert kit.ok("rebuild", node.dir, "--json").json["identical"]
        codes = {alarm["code"] for alarm in node.status()["alarms"]}
        assert not codes & {"equivocation", "chain-fork", "forked", "behind", "peer-behind"}, codes
