"""The worker: one thread owns the store and the core; jobs that queue up share one commit.

A job's effects and result leave only after the commit (rule 1). When a commit fails, nothing of the
batch happened: the core is thrown away and loaded again from what is durable.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from detente.errors import UnavailableError
from detente.node.outcome import trace
from detente.node.store import Store
from detente.protocol.core import Core
from detente.protocol.effect import Effect
from detente.structs import prepare_structs

log = logging.getLogger("detente")

Result = TypeVar("Result")
Job = Callable[[Core], tuple[Any, list[Effect]]]

BATCH_JOBS = 32  # one commit for so many at most; bounds how long the first of them waits
QUEUE_JOBS = 1000  # beyond it callers are told to come back rather than kept waiting


class Worker:
    """Runs jobs on the core, one after another, durable before they are answered."""

    def __init__(
        self, store: Store, load: Callable[[], Core], on_effects: Callable[[list[Effect]], None]
    ) -> None:
        self._store = store
        self._load = load
        self._on_effects = on_effects
        self._queue: queue.Queue[tuple[Job, Future[Any]] | None] = queue.Queue(QUEUE_JOBS)
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._lock = threading.Lock()
        # called when the thread ends by a fault of its own; the server puts its stop here
        self.on_broken: Callable[[], None] = lambda: None
        # called when the core was loaded anew: whoever talks to peers compares heads with them again
        self.on_reloaded: Callable[[], None] = lambda: None
        self.core = load()
        store.commit()

    def start(self) -> None:
        """Run jobs in a thread of their own from now on."""
        prepare_structs()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what is queued and end the thread; what comes later is told to come back."""
        if self._thread is not None:
            with self._lock:
                self._stopping = True
            if self._thread.is_alive():
                self._queue.put(None)
            self._thread.join()
            self._thread = None
            self._turn_away()

    def submit(self, job: Job) -> Future[Any]:
        """Queue a job; without a thread it runs at once.

        Raises:
            UnavailableError: ``busy``, or ``stopping``.
        """
        future: Future[Any] = Future()
        with self._lock:
            if self._stopping:
                raise UnavailableError("stopping", "the node is stopping; nothing was taken")
            if self._thread is not None:
                try:
                    self._queue.put_nowait((job, future))
                except queue.Full:
                    raise UnavailableError(
                        "busy", f"{QUEUE_JOBS} requests wait; try again in a moment"
                    ) from None
                return future
        self._batch([(job, future)])
        return future

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            batch, last = [first], False
            while len(batch) < BATCH_JOBS:
                try:
                    following = self._queue.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    last = True
                    break
                batch.append(following)
            # whoever has gone away by now does not want it done; from here on nobody can cancel
            batch = [item for item in batch if item[1].set_running_or_notify_cancel()]
            try:
                self._batch(batch)
            except BaseException as error:
                # not even loading again worked: whoever waits must learn it, and go on waiting nowhere
                log.critical("the worker ended: %s", trace(error))
                with self._lock:
                    self._stopping = True
                for _, future in batch:
                    if not future.done():
                        future.set_exception(_broken())
                self._turn_away()
                self.on_broken()
                return
            if last:
                return

    def _turn_away(self) -> None:
        while True:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return
            if item is not None and item[1].set_running_or_notify_cancel():
                item[1].set_exception(_broken())

    def _batch(self, batch: list[tuple[Job, Future[Any]]]) -> None:
        """Run jobs in one transaction; a job that fails after writing is undone, the others run again."""
        done: list[tuple[Future[Any], Any]] = []
        failed: list[tuple[Future[Any], BaseException]] = []
        effects: list[Effect] = []
        began = self._store.writes
        for i, (job, future) in enumerate(batch):
            writes = self._store.writes
            try:
                result, new = job(self.core)
            except Exception as error:
                if self._store.writes != writes:
                    self._reload()
                    future.set_exception(error)
                    for one, problem in failed:
                        one.set_exception(problem)
                    answered = {id(one) for one, _ in failed} | {id(future)}
                    for again in batch[:i] + batch[i + 1 :]:
                        if id(again[1]) not in answered:
                            self._batch([again])
                    return
                failed.append((future, error))
            else:
                done.append((future, result))
                effects += new
        try:
            self._store.commit()
        except Exception as error:
            self._reload()
            failed += [(future, error) for future, _ in done]
            done, effects, began = [], [], self._store.writes
        for future, result in done:
            future.set_result(result)
        for future, problem in failed:
            future.set_exception(problem)
        if effects or self._store.writes != began:
            try:
                self._on_effects(effects)
            except Exception as error:
                # the work is durable and answered; a listener that fails must not undo that
                log.error("telling of effects failed: %s", trace(error))

    def _reload(self) -> None:
        """Forget everything that is not durable. Lines are cold again: heads are compared anew, now."""
        self._store.rollback()
        self.core = self._load()
        try:
            self.on_reloaded()
        except Exception as error:
            log.error("telling of the reload failed: %s", trace(error))


def _broken() -> UnavailableError:
    return UnavailableError(
        "stopping",
        "the node cannot go on with its store; nothing was taken",
        hint="look at the log, then start the node again",
    )
