"""Many nodes in one process, faults included.

The core of a node is pure, so a day of several nodes runs in a second: disk, network, clocks, officers and
what goes wrong are values here, and one seed plays one day. `run.simulate` is the door; `room` sets nodes
up for a story without a network, and `liar` is a peer that keeps no rules.
"""
