"""One simulation from its seed: nodes in memory, faults, and the list of what did not hold."""

from __future__ import annotations

import hashlib
from typing import Any

from detente.errors import UsageError
from detente.protocol import views
from detente.simulation.check import Watch, check_due, check_evidence, check_healed
from detente.simulation.faults import parse_faults
from detente.simulation.officer import EVERY_S
from detente.simulation.party import REAL, SIMULATED
from detente.simulation.world import MINUTE_US, World
from detente.units import format_time

CHECK_EVERY_US = 10 * MINUTE_US
PARTIES_MOST = 50
HOURS_MOST = 24 * 400  # the contract's 200 days, twice


def simulate(
    seed: int = 1,
    hours: float = 1.0,
    parties: int = 2,
    faults: str = "all",
    *,
    real_keys: bool = False,
    every_s: int = EVERY_S,
) -> dict[str, Any]:
    """Run nodes in memory under faults, heal everything, and check that nothing was lost.

    Args:
        seed: the same seed plays the same day.
        hours: simulated hours under faults; healing comes after.
        parties: 2 to 50; above 8 they agree by area, and witnesses are common to all.
        faults: as `parse_faults` reads them.
        real_keys: sign and seal for true; some ten times slower.
        every_s: how often an officer does something, on average; what goes wrong keeps that pace too.

    Returns:
        Counts, the list of violations, and a digest of all final states, the same for one seed.

    Raises:
        UsageError: an argument is outside its range.
    """
    if not 2 <= parties <= PARTIES_MOST:
        raise UsageError(
            "parties-count",
            f"parties is {parties}; it must be 2 to {PARTIES_MOST}",
            field="parties",
        )
    if not 0 < hours <= HOURS_MOST:
        raise UsageError(
            "hours-range",
            f"hours is {hours:g}; it must be above 0, at most {HOURS_MOST}",
            field="hours",
        )
    world = World(
        seed, parties, parse_faults(faults), REAL if real_keys else SIMULATED, every_s=every_s
    )
    left_us = round(hours * 60 * MINUTE_US)
    while left_us > 0:
        world.run(min(left_us, CHECK_EVERY_US))
        left_us -= CHECK_EVERY_US
        world.check()
    world.heal()
    world.watch = Watch(world.liars, world.restored)  # at the end everything once more
    world.check()
    world.note(check_healed(world.party_nodes, world.liars))
    world.note(check_evidence(world.party_nodes, world.liars))
    world.note(check_due(world.party_nodes))
    for name, officer in sorted(world.officers.items()):
        known = world.nodes[name].running.state.filed_versions
        world.note(
            f"{one} version {version} was taken from an officer of {name} and is gone"
            for one, version in officer.filed
            if known.get(one, 0) < version and name not in world.restored
        )
    return _report(world, seed, hours, parties, faults, every_s)


def replay_command(seed: int, hours: float, parties: int, faults: str, every_s: int) -> str:
    """The one command that plays a day again.

    Example:
        >>> replay_command(7, 24.0, 2, "all", EVERY_S)
        'detente simulate --seed 7 --hours 24 --parties 2 --faults all'
    """
    pace = "" if every_s == EVERY_S else f" --every {every_s}"
    return f"detente simulate --seed {seed} --hours {hours:g} --parties {parties} --faults {faults}{pace}"


def first_violation(world: World) -> dict[str, str] | None:
    """What was first found not to hold, and at which simulated time."""
    for text, time_us in world.violations.items():
        return {"time": format_time(time_us), "text": text}
    return None


def _report(
    world: World, seed: int, hours: float, parties: int, faults: str, every_s: int
) -> dict[str, Any]:
    cores = [node.running for node in world.party_nodes]
    digest = hashlib.sha256()
    for core in cores:
        digest.update(views.projection(core))
    return {
        "seed": seed,
        "hours": hours,
        "parties": parties,
        "faults": faults,
        "violations": list(world.violations),
        "first_violation": first_violation(world),
        "replay": replay_command(seed, hours, parties, faults, every_s),
        "statements": sum(
            head.sequence
            for core in cores
            for heads in core.state.made.values()
            for head in heads.values()
        ),
        "delivered": sum(
            1
            for core in cores
            for receipt in core.state.receipts.values()
            if receipt.party != core.identity.party and receipt.answer == "delivered"
        ),
        "filed": sum(len(officer.filed) for officer in world.officers.values()),
        "proposals": len({one for core in cores for one in core.state.resolution.known}),
        "kept": len(
            {
                id_
                for core in cores
                for id_, one in core.state.resolution.known.items()
                if one.state == "kept"
            }
        ),
        "ceases": sum(officer.ceases for officer in world.officers.values()),
        "steps": sum(urgent.step for core in cores for urgent in core.state.urgent.known.values()),
        "conflicts": len({one for core in cores for one in core.state.conflicts}),
        "crashes": world.crashes,
        "lies": world.told["told"],
        "cosigned": world.cosigned,
        "rotations": world.rotated,
        "restores": world.restores,
        "network": dict(sorted(world.network.counts.items())),
        "digest": digest.hexdigest(),
    }
