"""A process that has done the imports and forks a node for each line it reads.

Start-up is dominated by imports; tests that kill a node dozens of times share them. What is forked is
`detente serve DIR`, a process of its own: it can be killed like any other.

Line in: JSON {"argv": [...], "env": {...}, "log": PATH}. Line out: the process id.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys


def main() -> None:
    """Fork for each line; ends with its standard input."""
    import uvicorn.protocols.http.h11_impl
    import uvicorn.protocols.websockets.auto  # noqa: F401

    import detente.cli.main
    import detente.node.server

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are reaped at once
    gc.freeze()
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid:
            print(pid, flush=True)
            continue
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.environ.update(order["env"])
        sys.argv = ["detente", *order["argv"]]
        code = 70
        try:
            detente.cli.main.main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


if __name__ == "__main__":
    main()
