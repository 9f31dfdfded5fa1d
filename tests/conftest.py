"""How all tests run: a file's tests stay in one worker, so that what a module sets up is set up once."""

from __future__ import annotations

import os
from typing import Any

import pytest

pytest_plugins = ["loopback"]

BROWSER_TESTS = "tests/browser/"
CORES_FOR_BROWSERS = 8  # a browser, two nodes and the screen's drawing keep two cores busy


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out whole files, in the order of collection: the long ones in tests/e2e come first.

    On a small machine all tests in a browser go to one worker, so that no two browsers run at a time.
    """
    from xdist.scheduler import LoadFileScheduling

    one_browser = (os.cpu_count() or 1) < CORES_FOR_BROWSERS

    class Scheduling(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            if one_browser and nodeid.startswith(BROWSER_TESTS):
                return BROWSER_TESTS
            return str(super()._split_scope(nodeid))

    config.option.loadscopereorder = False
    return Scheduling(config, log)
