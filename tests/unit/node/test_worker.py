"""One thread, one commit for many, and nothing answered that is not durable."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from detente.errors import UnavailableError
from detente.node.worker import QUEUE_JOBS, Worker
from detente.protocol.effect import Alert, Effect

WAIT_S = 10


class FakeStore:
    """A store that counts commits and forgets what was not committed."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.pending: list[str] = []
        self.writes = self.commits = 0
        self.no_room_for: set[str] = set()

    def write(self, one: str) -> None:
        """Write something that counts once committed."""
        self.writes += 1
        self.pending.append(one)

    def commit(self) -> None:
        """Keep what is pending, or fail as told."""
        self.commits += 1
        if self.no_room_for & set(self.pending):
            self.no_room_for, self.pending = set(), []
            raise UnavailableError("store-unavailable", "full")
        self.kept += self.pending
        self.pending = []

    def rollback(self) -> None:
        """Forget what is pending."""
        self.pending = []


class Shell:
    """A worker over the fake store; its core is what was loaded: a list of what is kept."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self.effects: list[Effect] = []
        self.loads = 0
        self.load_fails = False
        self.worker = Worker(self.store, self.load, self.tell)  # type: ignore[arg-type]

    def load(self) -> Any:
        """A core: what is durable now."""
        if self.load_fails:
            raise RuntimeError("the store is gone")
        self.loads += 1
        return list(self.store.kept)

    def tell(self, effects: list[Effect]) -> None:
        """Take effects."""
        self.effects += effects

    def job(self, name: str, error: Exception | None = None) -> Any:
        """A job that writes its name, then perhaps fails."""

        def run(core: Any) -> tuple[str, list[Effect]]:
            self.store.write(name)
            core.append(name)
            if error is not None:
                raise error
            return name, [Alert(name, name)]

        return run

    def hold(self) -> tuple[Callable[[], None], Future[Any]]:
        """Keep the worker busy, so that what is submitted now queues up, until released."""
        go, busy = threading.Event(), threading.Event()

        def run(_core: Any) -> tuple[None, list[Effect]]:
            busy.set()
            go.wait(WAIT_S)
            return None, []

        future = self.worker.submit(run)
        assert busy.wait(WAIT_S)
        return go.set, future


@pytest.fixture
def shell() -> Iterator[Shell]:
    """A worker at work."""
    found = Shell()
    found.worker.start()
    yield found
    found.load_fails = False
    found.worker.stop()


def test_queued_jobs_share_one_commit(shell: Shell) -> None:
    """Jobs that wait together are made durable by one commit, and all are answered after it."""
    release, _ = shell.hold()
    futures = [shell.worker.submit(shell.job(str(i))) for i in range(10)]
    before = shell.store.commits
    release()
    assert [f.result(WAIT_S) for f in futures] == [str(i) for i in range(10)]
    assert shell.store.commits - before == 2  # the holding job's own, and one for the ten
    assert shell.store.kept == [str(i) for i in range(10)]


def test_job_that_fails_after_writing_is_undone_and_the_others_stand(shell: Shell) -> None:
    """Of a batch, only the job that failed leaves no trace; the rest is done and answered."""
    release, _ = shell.hold()
    first = shell.worker.submit(shell.job("a"))
    bad = shell.worker.submit(shell.job("b", ValueError("no")))
    last = shell.worker.submit(shell.job("c"))
    release()
    assert (first.result(WAIT_S), last.result(WAIT_S)) == ("a", "c")
    with pytest.raises(ValueError, match="no"):
        bad.result(WAIT_S)
    assert shell.store.kept == ["a", "c"]
    assert shell.worker.core == ["a", "c"]
    shell.worker.stop()
    assert [e.code for e in shell.effects if isinstance(e, Alert)] == ["a", "c"]


def test_reload_is_told_once_and_before_the_others_run_again(shell: Shell) -> None:
    """Whoever compares heads with peers learns at once that the core was loaded anew."""
    told: list[list[str]] = []
    shell.worker.on_reloaded = lambda: told.append(list(shell.worker.core))
    release, _ = shell.hold()
    shell.worker.submit(shell.job("a"))
    bad = shell.worker.submit(shell.job("b", ValueError("no")))
    last = shell.worker.submit(shell.job("c"))
    release()
    with pytest.raises(ValueError, match="no"):
        bad.result(WAIT_S)
    assert last.result(WAIT_S) == "c"
    assert told == [[]]


def test_job_that_fails_without_writing_costs_the_others_nothing(shell: Shell) -> None:
    """A refusal that wrote nothing neither reloads the core nor runs anything twice."""

    def refuse(_core: Any) -> Any:
        raise ValueError("refused")

    release, _ = shell.hold()
    loads = shell.loads
    good, bad = shell.worker.submit(shell.job("a")), shell.worker.submit(refuse)
    release()
    assert good.result(WAIT_S) == "a"
    with pytest.raises(ValueError, match="refused"):
        bad.result(WAIT_S)
    assert (shell.loads, shell.store.writes) == (loads, 1)


def test_commit_that_fails_answers_all_with_the_error_and_reloads(shell: Shell) -> None:
    """After a commit that failed nobody is told that it was taken, and no effect leaves."""
    release, _ = shell.hold()
    shell.store.no_room_for = {"1"}
    futures = [shell.worker.submit(shell.job(str(i))) for i in range(3)]
    loads = shell.loads
    release()
    for future in futures:
        with pytest.raises(UnavailableError) as caught:
            future.result(WAIT_S)
        assert caught.value.code == "store-unavailable"
    assert (shell.store.kept, shell.effects, shell.worker.core) == ([], [], [])
    assert shell.loads == loads + 1
    assert shell.worker.submit(shell.job("later")).result(WAIT_S) == "later"


def test_failing_commit_without_a_thread_is_answered_with_its_error() -> None:
    """A command on the store itself learns that its commit failed, and nothing was kept."""
    shell = Shell()
    shell.store.no_room_for = {"a"}
    with pytest.raises(UnavailableError):
        shell.worker.submit(shell.job("a")).result(WAIT_S)
    assert (shell.store.kept, shell.effects, shell.worker.core) == ([], [], [])
    assert shell.worker.submit(shell.job("b")).result(WAIT_S) == "b"


def test_caller_that_went_away_does_not_end_the_worker(shell: Shell) -> None:
    """A request cancelled while it waits is not run, and the worker goes on."""
    release, _ = shell.hold()
    gone = shell.worker.submit(shell.job("gone"))
    kept = shell.worker.submit(shell.job("kept"))
    assert gone.cancel()
    release()
    assert kept.result(WAIT_S) == "kept"
    assert shell.store.kept == ["kept"]


def test_job_under_way_cannot_be_cancelled(shell: Shell) -> None:
    """What has begun is answered: a caller cannot make the worker answer a future that is gone."""
    release, future = shell.hold()
    assert not future.cancel()
    release()
    assert future.result(WAIT_S) is None
    assert shell.worker.submit(shell.job("a")).result(WAIT_S) == "a"


def test_full_queue_is_told_to_come_back(shell: Shell) -> None:
    """Beyond the queue's limit a caller gets `busy` at once rather than waiting without end."""
    release, _ = shell.hold()
    for i in range(QUEUE_JOBS):
        shell.worker.submit(shell.job(str(i)))
    with pytest.raises(UnavailableError) as caught:
        shell.worker.submit(shell.job("one too many"))
    assert caught.value.code == "busy"
    release()


def test_stop_finishes_what_is_queued_and_turns_later_jobs_away(shell: Shell) -> None:
    """Stopping loses nothing that was taken, and takes nothing that it could not finish."""
    release, _ = shell.hold()
    futures = [shell.worker.submit(shell.job(str(i))) for i in range(50)]
    stopper = threading.Thread(target=shell.worker.stop)
    stopper.start()
    release()
    assert [f.result(WAIT_S) for f in futures] == [str(i) for i in range(50)]
    stopper.join(WAIT_S)
    assert not stopper.is_alive()
    with pytest.raises(UnavailableError) as caught:
        shell.worker.submit(shell.job("late"))
    assert caught.value.code == "stopping"


def test_store_that_cannot_even_be_read_again_ends_the_worker_and_leaves_nobody_waiting(
    shell: Shell,
) -> None:
    """When the reload fails every caller is answered, and the server is told to stop."""
    broken = threading.Event()
    shell.worker.on_broken = broken.set
    release, _ = shell.hold()
    shell.load_fails = True
    bad = shell.worker.submit(shell.job("a", ValueError("disk")))
    other = shell.worker.submit(shell.job("b"))
    release()
    for future in (bad, other):
        with pytest.raises(UnavailableError):
            future.result(WAIT_S)
    assert broken.wait(WAIT_S)
    with pytest.raises(UnavailableError):
        shell.worker.submit(shell.job("c"))


def test_listener_that_fails_does_not_undo_what_is_durable(shell: Shell) -> None:
    """An error while telling of effects changes no answer and does not end the worker."""

    def fail(_effects: list[Effect]) -> None:
        raise RuntimeError("listener")

    shell.worker._on_effects = fail
    assert shell.worker.submit(shell.job("a")).result(WAIT_S) == "a"
    assert shell.worker.submit(shell.job("b")).result(WAIT_S) == "b"
