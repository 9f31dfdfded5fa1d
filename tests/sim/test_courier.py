"""Files that a courier carries: lost, held back, copied, reordered, between nodes that die and start again."""

from __future__ import annotations

from typing import Any

import pytest

from detente.protocol import cease
from detente.simulation.chance import Chance
from detente.simulation.check import check_always, check_healed
from detente.simulation.node import Crashed, SimNode, converse
from detente.simulation.room import Room

STEPS = 250


def write(node: SimNode, peer: str) -> bytes:
    """A file for the peer, with all that is under way elsewhere."""
    node.act(lambda core: core.link(peer).offered.clear())
    return node.write(peer)


def ask(node: SimNode, number: int) -> None:
    """A cease request."""
    who: dict[str, Any] = {"officer": "ada", "desk": "cell", "exercise": False}
    node.run(
        lambda core: cease.ask_cease(core, {"reason": f"case {number}"}, [], node.now_us(), **who)
    )


@pytest.mark.parametrize("seed", range(1, 21))
def test_courier_who_does_what_he_likes_accuses_nobody_and_loses_nothing(seed: int) -> None:
    """F-COU-1, F-EX-2: whatever file comes, whenever and however often, no honest node is blamed, nothing is taken
    twice, and all that was said is on both sides in the end."""
    chance, room = Chance(seed), Room(seed=seed)
    nodes = dict(zip(("north", "south"), room.nodes(), strict=True))
    bag: list[tuple[str, bytes]] = []  # to whom, and what; a file stays in it, so it may come again
    asked = 0
    for step in range(STEPS):
        name, peer = chance.pick((("north", "south"), ("south", "north")))
        node = nodes[name]
        room.wait(chance.between(1, 400))
        if chance.happens(20):
            node.crash()
            node.start()
        elif chance.happens(150):
            ask(node, step)
            asked += 1
        elif chance.happens(400) or not bag:
            bag.append((peer, write(node, peer)))
        else:
            to, data = bag[chance.between(0, len(bag) - 1)]
            answer = nodes[to].serve(data)
            if answer is not None and chance.happens(700):
                bag.append(("south" if to == "north" else "north", answer))
        if chance.happens(100):
            bag = bag[len(bag) // 2 :]
        assert list(check_always(list(nodes.values()))) == []
    for _ in range(6):
        room.wait(3)
        converse(*nodes.values())
    assert asked
    for node in nodes.values():
        assert len(node.running.state.ceases) == asked
    assert list(check_healed(list(nodes.values()))) == []


def test_courier_carries_a_request_across_the_death_of_either_node() -> None:
    """A node that dies while files are on their way costs one more way there and back, and nothing else."""
    room = Room()
    north, south = room.nodes()
    ask(north, 1)
    first = write(north, "south")
    south.crash()
    with pytest.raises(Crashed):
        south.serve(first)
    south.start()
    second = south.serve(first)
    assert second is not None
    north.crash()
    north.start()
    north.take(second)  # it answers a run that is gone
    assert north.running.intents
    third = south.serve(write(north, "south"))
    assert third is not None
    assert north.take(third) is not None
    assert not north.running.intents
    answer = south.serve(write(north, "south"))
    assert len(south.running.state.ceases) == 1
    assert answer is not None
    north.take(answer)
    assert len(north.running.state.receipts) == 1
    assert list(check_always([north, south])) == []
