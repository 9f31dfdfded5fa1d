"""Data classes and threads."""

from __future__ import annotations

import subprocess
import sys

RACE = """
import sys, threading, types, msgspec
from detente.structs import prepare_structs

fields = "".join(f"    f{i}: Annotated[int, msgspec.Meta(ge=0)] = 0\\n" for i in range(30))
source = (
    "from typing import Annotated\\nimport msgspec\\n"
    "class Inner(msgspec.Struct):\\n" + fields + "class Outer(msgspec.Struct):\\n    a: Inner\\n" + fields
)
outers = []
for number in range(200):
    module = types.ModuleType(f"detente.made{number}")
    sys.modules[module.__name__] = module
    exec(source, module.__dict__)
    outers.append(module.Outer)
if sys.argv[1] == "prepared":
    assert prepare_structs() >= 400
sys.setswitchinterval(1e-6)
for outer in outers:
    together = threading.Barrier(4)
    def decode():
        together.wait()
        assert msgspec.convert({"a": {"f1": 1}, "f29": 2}, outer).f29 == 2
    threads = [threading.Thread(target=decode) for _ in range(4)]
    for one in threads: one.start()
    for one in threads: one.join()
"""


def test_classes_that_were_prepared_are_decoded_by_many_threads_at_once() -> None:
    """Four threads that are the first to decode into a class, two hundred times: the process lives.

    Without the preparation it ends by signal 11 nearly every time (msgspec 0.22.0).
    """
    ran = subprocess.run(
        [sys.executable, "-c", RACE, "prepared"], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
