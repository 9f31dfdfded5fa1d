"""Benchmarks of the record: appending, rebuilding, auditing, proving. No sockets, one process each.

The keys that sign and the disk that is synced are real where they are what is measured (append, bundle);
long records are made with the simulator's keys, since neither the fold nor the tree looks at a signature.
Each part runs in a process of its own, so that its peak memory is its own, and gives processor time beside
the clock's: on a machine with other work the first is the one to compare.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from detente.node.node import fold_core
from detente.node.recordroom import ABSENCE_SLICE
from detente.node.store import Store
from detente.node.worker import Worker
from detente.protocol import views
from detente.protocol.absence import Proving, make_absence, verify_absence
from detente.protocol.audit import audit
from detente.protocol.bundle import verify_bundle
from detente.protocol.bundling import make_bundle
from detente.protocol.core import Core
from detente.protocol.effect import Effect
from detente.protocol.identity import Identity
from detente.signing.key import SigningKeys
from detente.signing.sealing import SealingKeys
from detente.simulation.node import SimNode, converse, cosign_newest
from detente.simulation.officer import random_notice
from detente.simulation.party import REAL, SIMULATED, Crypto
from detente.simulation.room import Room
from detente.units import US_PER_S

START_US = 1_700_000_000 * US_PER_S
CALLERS = 32  # as many as share one commit of the worker
FRAME_NOTICES = 16
AREA = b'{"type":"Polygon","coordinates":[[[35,35],[36,35],[36,36],[35,36],[35,35]]]}'

Row = dict[str, Any]


class Timer:
    """How long something takes by the clock and by the processor, both in seconds."""

    def __init__(self) -> None:
        self._wall, self._processor = time.perf_counter(), time.process_time()

    def row(self, **more: Any) -> Row:
        """What has passed, and the most memory this process has had."""
        return {
            "seconds": time.perf_counter() - self._wall,
            "processor_s": time.process_time() - self._processor,
            "peak_mb": peak_mb(),
            **more,
        }


def peak_mb() -> float:
    """The most memory that this program has had; 0 where the system does not say.

    Not getrusage: its peak begins with that of whoever started the program.
    """
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0.0
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def alone(part: Callable[..., Row], *arguments: Any) -> Row:
    """Run a part in a fresh process and return what it measured."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(part, *arguments).result()


# -- appending -------------------------------------------------------------------------------------


def measure_append(entries: int) -> Row:
    """Entries with a signed head over every batch, durable before the next: one caller, then many at once."""
    found: Row = {}
    for batch, share in ((1, 20), (10, 2), (256, 1)):
        with tempfile.TemporaryDirectory(prefix="detente-bench-") as scratch:
            found[f"batch {batch}"] = _append(
                Path(scratch), batch, max(1, entries // share // batch)
            )
    with tempfile.TemporaryDirectory(prefix="detente-bench-") as scratch:
        found[f"batch 10, {CALLERS} callers"] = _append_many(Path(scratch), 10, entries // 10)
    return found


def bench_identity() -> Identity:
    """A party with real keys, the same in every process; it protects nothing."""
    signer = SigningKeys.from_seed(bytes(64))
    return Identity(
        party="north",
        signer=signer,
        opener=SealingKeys.from_seed(bytes(96)),
        leaf_seed=bytes(32),
        transport_key=signer.public.key_id,
        sign_transport=signer.sign_ed25519,
    )


def _add(core: Core, batch: int) -> None:
    """A batch of entries of ordinary length, and the head over them, by both algorithms."""
    for _ in range(batch):
        number = core.tree.size
        core.append_local(
            START_US + number * 1000, "bench", number=number, text="an entry of ordinary length"
        )
    core.checkpoint(START_US + core.tree.size * 1000)


def _append(scratch: Path, batch: int, rounds: int) -> Row:
    store = Store.at(scratch / "detente.db")
    core = Core(bench_identity(), store, os.urandom)
    store.commit()
    times = []
    timer = Timer()
    for _ in range(rounds):
        began = time.perf_counter()
        _add(core, batch)
        store.commit()
        times.append(time.perf_counter() - began)
    row = _rate(timer, times, batch)
    store.close()
    return row


def _append_many(scratch: Path, batch: int, rounds: int) -> Row:
    """Callers of the worker, each waiting until its batch is durable: as in a node, those that wait share a commit."""
    store = Store.at(scratch / "detente.db")
    identity = bench_identity()
    worker = Worker(store, lambda: Core(identity, store, os.urandom), lambda effects: None)
    worker.start()
    times: list[float] = []

    def job(core: Core) -> tuple[None, list[Effect]]:
        _add(core, batch)
        return None, []

    def call() -> None:
        for _ in range(rounds // CALLERS):
            began = time.perf_counter()
            worker.submit(job).result()
            times.append(time.perf_counter() - began)

    timer = Timer()
    threads = [threading.Thread(target=call) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    row = _rate(timer, times, batch)
    worker.stop()
    store.close()
    return row


def _rate(timer: Timer, times: list[float], batch: int) -> Row:
    row, entries = timer.row(), len(times) * batch
    times.sort()
    return row | {
        "entries": entries,
        "per_s": entries / row["seconds"],
        "per_processor_s": entries / row["processor_s"],
        "p50_ms": statistics.median(times) * 1000,
        "p99_ms": times[int(len(times) * 0.99)] * 1000,
    }


# -- long records ----------------------------------------------------------------------------------


def told(notices: int, crypto: Crypto = SIMULATED) -> tuple[Room, SimNode, SimNode]:
    """A room, and in it north, who told south of so many notices, and south, whose head east cosigned.

    South's record then has two statements for each: the notice and its own receipt.
    """
    room = Room(3, crypto=crypto)
    north, south, east = room.nodes()
    converse(north, south)
    for number in range(notices):
        room.wait(60)
        now_us = room.timeline.now_us
        notice = random_notice(f"B-{number}", room.chance, now_us, exercise=True)

        def file(core: Core, notice: Any = notice, now_us: int = now_us) -> Any:
            return core.file_notice(notice, ("south",), now_us, officer="bench", desk="bench")

        north.run(file)
        if number % FRAME_NOTICES == FRAME_NOTICES - 1:
            converse(north, south)
    room.wait(3)
    converse(north, south)
    cosign_newest(south, east)
    return room, north, south


def copied(node: SimNode, path: Path) -> None:
    """A simulated node's record on a real disk."""
    store = Store.at(path)
    for entry, leaf, statement, openings in node.disk.replay():
        if statement is not None:
            store.put_statement(statement, openings)
        store.append(entry, leaf)
    newest = node.disk.checkpoint()
    if newest is not None:
        store.put_checkpoint(*newest)
        for cosigner, lines in node.disk.cosignatures(newest[0]).items():
            store.put_cosignature(newest[0], cosigner, lines)
    store.commit()
    store.close()


# -- rebuilding ------------------------------------------------------------------------------------


def measure_rebuild(statements: int) -> Row:
    """What `detente rebuild` does with so many statements: fold anew, and compare byte for byte."""
    with tempfile.TemporaryDirectory(prefix="detente-bench-") as scratch:
        path = Path(scratch) / "detente.db"
        _, _, south = told(statements // 2)
        copied(south, path)
        return alone(_rebuild, path)


def _rebuild(path: Path) -> Row:
    store = Store.at(path)
    identity = Room(3).parties[1].identity
    before = views.projection(fold_core(identity, store))
    timer = Timer()
    core = fold_core(identity, store)
    row = timer.row(statements=len(core.state.notices) * 2, entries=core.tree.size)
    if views.projection(core) != before:
        raise RuntimeError("a fold of one record gave two states")
    return row | {"with_comparison_s": timer.row()["seconds"]}


# -- auditing --------------------------------------------------------------------------------------


def measure_audit(entries: int) -> Row:
    """What `detente ledger verify` does with so many entries under one head: load, every leaf, root, both signatures."""
    with tempfile.TemporaryDirectory(prefix="detente-bench-") as scratch:
        path = Path(scratch) / "detente.db"
        store = Store.at(path)
        core = Core(bench_identity(), store, os.urandom)
        while core.tree.size < entries:
            _add(core, min(10_000, entries - core.tree.size))
            store.commit()
        store.close()
        return alone(_audit, path)


def _audit(path: Path) -> Row:
    store = Store.at(path)
    timer = Timer()
    core = fold_core(bench_identity(), store)
    load_s = timer.row()["seconds"]
    found = audit(core)
    if not found["consistent"] or found["checkpoint"] != core.tree.size:
        raise RuntimeError(f"the audit of a good record found {found['problems']}")
    return timer.row(entries=core.tree.size, load_s=load_s)


# -- proving ---------------------------------------------------------------------------------------


def measure_bundle(rounds: int) -> Row:
    """Verifying a bundle of one notice with its receipt, under real keys and with a cosigned head."""
    room, _, south = told(20, REAL)
    statement = next(
        one.id for _, _, one, _ in south.disk.replay() if one is not None and one.notice is not None
    )
    data = make_bundle(south.running, [statement])
    roots = {party.name: party.root.public for party in room.parties}
    verify_bundle(data, roots)
    times = []
    timer = Timer()
    for _ in range(rounds):
        began = time.perf_counter()
        verify_bundle(data, roots)
        times.append(time.perf_counter() - began)
    row = timer.row()
    times.sort()
    return row | {
        "bytes": len(data),
        "rounds": rounds,
        "p50_ms": statistics.median(times) * 1000,
        "p99_ms": times[int(rounds * 0.99)] * 1000,
        "processor_ms": row["processor_s"] / rounds * 1000,
    }


def measure_absence(entries: int) -> Row:
    """Making and verifying a proof of absence over a log of so many entries, half of them notices.

    Verified twice: of every notice, and of one area on one day.
    """
    with tempfile.TemporaryDirectory(prefix="detente-bench-") as scratch:
        room, _, south = told(entries // 2)
        path = Path(scratch) / "proof.detente"
        timer = Timer()
        proving = Proving(south.running, "north", None, None, None)
        slices = []
        done = False
        while not done:
            began = time.perf_counter()
            done = proving.read(south.running, ABSENCE_SLICE)
            slices.append((time.perf_counter() - began) * 1000)
        path.write_bytes(proving.encode())
        slices.sort()
        made = timer.row(bytes=path.stat().st_size, slice_p99_ms=slices[int(len(slices) * 0.99)])
        asked = Path(scratch) / "asked.detente"
        until_us = room.timeline.now_us - 3600 * US_PER_S
        asked.write_bytes(
            make_absence(south.running, "north", AREA, until_us - 24 * 3600 * US_PER_S, until_us)
        )
        return {
            "make": made,
            "verify": alone(_verify, path),
            "verify one day": alone(_verify, asked),
        }


def _verify(path: Path) -> Row:
    roots = {party.name: party.root.public for party in Room(3).parties}
    timer = Timer()
    proved = verify_absence(path.read_bytes(), roots, verifier=SIMULATED.verifier)
    return timer.row(entries=proved.entries, notices=proved.notices_checked)
