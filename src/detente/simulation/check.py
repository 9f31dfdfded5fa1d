"""What must hold in every simulation, whatever goes wrong: each check says what it found broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations, islice, permutations

from detente.errors import DetenteError
from detente.hotline.cease import OPEN
from detente.limits import EVIDENCE_SAMPLES_PER_PEER_DAY, INTENTS_WAITING
from detente.protocol import deadlines, evidence, urgent, views
from detente.protocol.advising import shared_advice
from detente.protocol.audit import audit
from detente.protocol.core import Core
from detente.protocol.fold import PARSED_KEPT
from detente.protocol.linestate import declared_of
from detente.protocol.link import PROGRAMS_KEPT, Head
from detente.protocol.rules import earns_receipt
from detente.protocol.statement import CHAINS, Statement, body_values, link_name
from detente.signing.canonical import encode_canonical
from detente.simulation.node import SimNode
from detente.units import US_PER_S

ASKING = ("hotline/cease", "hotline/emergency")
DAYS_MOST = 400  # of one simulation: samples have a quota a day
ADVISED = 5  # conflicts of a pair whose advice is compared: a day may end with a hundred
OVERDUE_US = 120 * US_PER_S  # two turns of the simulated timer: past it something due is lost
# Alarms that say a party did wrong or lost its record. Between honest nodes none may ever be raised.
BLAME = frozenset({"behind", "chain-fork", "equivocation", "forked", "log-behind", "peer-behind"})
LOSS = frozenset({"behind", "log-behind", "peer-behind"})


class Watch:
    """Looks at running nodes again and again; what it saw to hold and cannot change it does not look at twice.

    Attributes:
        liars: who is known to lie; whatever is said of them is no false blame.
        restored: who was restored from an old backup: that it lost something is said of it with reason.
        mending: who has not got back yet what it lost.
    """

    def __init__(self, liars: Collection[str] = (), restored: Collection[str] = ()) -> None:
        self.liars = frozenset(liars)
        self.restored = restored
        self.mending: set[str] = set()
        self._seen: dict[tuple[str, ...], tuple[Core | None, int]] = {}

    def step(self, node: SimNode, others: Mapping[str, SimNode]) -> Iterator[str]:
        """What holds after every single commit of a node, as far as this commit can have broken it."""
        yield from self._check_no_blame(node)
        yield from _check_bounds(node)
        core = node.running
        for peer in core.state.peers:
            other = others[peer].core if peer in others else None
            if other is None or {node.name, peer} & self.mending:
                continue
            yield from _check_heads(other, core)
            yield from self._check_acknowledged(core, other)
            yield from _check_safety_first(other, core)

    def check(self, nodes: list[SimNode]) -> Iterator[str]:
        """What holds at every moment, also in the middle of a failure; nodes that are down are left out."""
        running = [node for node in nodes if node.core is not None]
        for node in running:
            yield from self._check_no_blame(node)
            yield from _check_bounds(node)
        for sender, receiver in permutations(running, 2):
            if receiver.name not in sender.running.state.peers:
                continue
            if {sender.name, receiver.name} & self.mending:
                continue
            yield from _check_heads(sender.running, receiver.running)
            yield from self._check_acknowledged(sender.running, receiver.running)
            yield from _check_safety_first(sender.running, receiver.running)
            if sender.name < receiver.name:
                yield from _check_conflicts(sender.running, receiver.running)

    def _fresh(self, key: tuple[str, ...], core: Core, count: int) -> int:
        """Up to where a list that only grows was looked at before; a core that was loaded anew is new."""
        before, seen = self._seen.get(key, (None, 0))
        self._seen[key] = (core, count)
        return seen if before is core and seen <= count else 0

    def _check_no_blame(self, node: SimNode) -> Iterator[str]:
        alarms = node.running.state.alarms
        for alarm in alarms[self._fresh((node.name,), node.running, len(alarms)) :]:
            lost = alarm.code in LOSS and {alarm.party, node.name} & set(self.restored)
            if alarm.code in BLAME and alarm.party not in self.liars and not lost:
                yield f"{node.name}: an honest node is blamed: {alarm.code}: {alarm.message}"
        if self.liars or self.restored:
            return  # what they send is kept as evidence, and their names stand in it
        for code, count in node.disk.evidence_counts().items():
            yield f"{node.name}: kept evidence against an honest node: {code} ({count})"
        for code in ("not-taken", "refused", "not-understood"):
            if node.alerts[code]:
                yield f"{node.name}: told its officers {code} of an honest node"

    def _check_acknowledged(self, sender: Core, receiver: Core) -> Iterator[str]:
        """Every statement whose receipt the sender has is in both records, for good."""
        me, peer = sender.identity.party, receiver.identity.party
        receipts = sender.state.receipts
        # a restore takes away entries; then the cores are others, and everything is looked at again
        one = self._fresh((me, peer, "sent"), sender, len(receipts))
        other = self._fresh((me, peer, "got"), receiver, len(receipts))
        for receipt in islice(receipts.values(), min(one, other), None):
            if receipt.party != peer:
                continue
            for core in (sender, receiver):
                if core.journal.entry_of(receipt.statement) is None:
                    yield f"{receipt.statement[:12]} was acknowledged by {peer} to {me} and is not in the record of {core.identity.party}"
            if receipt.answer != "delivered":
                yield f"{peer} refused a statement of {me}: {receipt.rule}"


def _check_bounds(node: SimNode) -> Iterator[str]:
    """Queues and samples stay within their limits (docs/guide/simulation.md)."""
    core = node.running
    for what, count, most in (
        ("filings that wait", len(core.intents), 2 * INTENTS_WAITING),
        ("parsed bodies", len(core.state.parsed), PARSED_KEPT),
        (
            "programs of peers",
            max((len(one.programs) for one in core.links.values()), default=0),
            PROGRAMS_KEPT,
        ),
        (
            "samples",
            node.disk.samples,
            EVIDENCE_SAMPLES_PER_PEER_DAY * (len(core.state.peers) + 1) * DAYS_MOST,
        ),
    ):
        if count > most:
            yield f"{node.name}: {what} are {count}; they must be at most {most}"


def check_always(nodes: list[SimNode]) -> Iterator[str]:
    """What holds at every moment, looked at in full."""
    return Watch().check(nodes)


def _check_deadlines(core: Core, liars: frozenset[str]) -> Iterator[str]:
    """Each deadline passes once, and an honest peer's words are never refused (H-DUE-3)."""
    me = core.identity.party
    passed: Counter[str] = Counter()
    for entry, _, statement, openings in core.journal.replay():
        if entry.local is not None and entry.local["type"] == "deadline/passed":
            what = entry.local["expectation"]
            passed[f"entry {what['expected']}:{what['statement']}:{what['step']}"] += 1
        elif statement is not None:
            if statement.type == "receipt/no-answer" and entry.header.kind == "made":
                values = body_values(openings)
                passed[f"word {values['expected']}:{values['statement']}"] += 1
            if (
                entry.header.kind == "received"
                and entry.outcome != "delivered"
                and statement.party not in liars
            ):
                yield f"{me} answered an honest {statement.type} with {entry.outcome}"
    for what, count in passed.items():
        if count > 1:
            yield f"{me}: {what} passed {count} times"


def check_due(nodes: list[SimNode]) -> Iterator[str]:
    """Where every node's clock has been looked at: no step up and no deadline was lost (H-CEA-2, H-DUE-3)."""
    for node in nodes:
        state, late_us = node.running.state, node.now_us() - OVERDUE_US
        for what, due_us in (
            ("a step up", urgent.next_step_due(state)),
            ("a deadline", deadlines.next_due(state)),
        ):
            if due_us is not None and due_us < late_us:
                late_s = (node.now_us() - due_us) // US_PER_S
                yield f"{node.name}: {what} is overdue by {late_s} s"


def check_healed(nodes: list[SimNode], liars: Collection[str] = ()) -> Iterator[str]:
    """What holds besides once every node runs, every line works and nothing is under way.

    Args:
        liars: nothing is owed to them.
    """
    lying = frozenset(liars)
    for node in nodes:
        core = node.running
        yield from _check_delivered(core, lying)
        yield from _check_deadlines(core, lying)
        yield from _check_steps(core)
        yield from _check_signed_first(core)
        found = audit(core)
        for problem in found["problems"]:
            yield f"{node.name}: audit: {problem}"
        if views.projection(node.load()) != views.projection(core):
            yield f"{node.name}: a rebuild gives another state"
        waiting = [i for i in core.intents.values() if not lying.issuperset(i.waiting)]
        if waiting:
            yield f"{node.name}: {len(waiting)} filings still wait unsigned"
    for one, other in combinations(nodes, 2):
        if other.name not in one.running.state.peers:
            continue
        yield from _check_conflicts(one.running, other.running)
        yield from _check_advice(one.running, other.running)
        yield from _check_hotline(one.running, other.running)
        for here, there in ((one, other), (other, one)):
            yield from _check_overtaken(here.running, there.running)
            made = here.running.state.heads(True, there.name)
            held = there.running.state.heads(False, here.name)
            if made != held:
                yield f"{here.name} has said {_show(made)} and {there.name} holds {_show(held)}"


def check_evidence(nodes: list[SimNode], liars: Collection[str]) -> Iterator[str]:
    """No record proves a wrong of anybody honest (E-HONEST-1)."""
    for node in nodes:
        for found in evidence.find_evidence(node.running):
            if found.against not in liars:
                yield f"{node.name}: evidence against an honest node: {found.kind} of {found.against}"


def live_conflicts(core: Core, common: set[str]) -> dict[str, bytes]:
    """The live conflicts among some notices: id to the record's canonical bytes."""
    return {
        conflict.id: encode_canonical(conflict.record)
        for conflict in core.state.conflicts.values()
        if conflict.live(core.state.notices)
        and all(one["id"] in common for one in conflict.record["notices"])
    }


def common_notices(one: Core, other: Core) -> set[str]:
    """The notices of which two nodes have the same version as the latest."""
    return {
        notice_id
        for notice_id, notice in one.state.notices.items()
        if (known := other.state.notices.get(notice_id)) is not None
        and known.latest.body_digest == notice.latest.body_digest
        and known.latest.number == notice.latest.number
    }


def _check_heads(sender: Core, receiver: Core) -> Iterator[str]:
    me, peer = sender.identity.party, receiver.identity.party
    for chain in CHAINS:
        made, held = sender.state.head(True, peer, chain), receiver.state.head(False, me, chain)
        if held.sequence > made.sequence:
            yield f"{peer} holds {chain} {held.sequence} of {me}, which knows only {made.sequence}"
        elif held.sequence:
            same = sender.journal.chain(link_name(me, peer), chain, held.sequence - 1, 1)
            if same[0][0].id != held.id:
                yield f"{peer} holds another {chain} {held.sequence} of {me} than {me} does"


def _check_safety_first(sender: Core, receiver: Core) -> Iterator[str]:
    """No ordinary statement arrived before a safety statement that was made earlier."""
    me, peer = sender.identity.party, receiver.identity.party
    name = link_name(me, peer)
    held = {chain: receiver.state.head(False, me, chain).sequence for chain in CHAINS}
    last = sender.journal.chain(name, "ordinary", held["ordinary"] - 1, 1)
    waiting = sender.journal.chain(name, "safety", held["safety"], 1)
    if not held["ordinary"] or not last or not waiting:
        return
    ordinary, safety = (sender.journal.entry_of(found[0][0].id) for found in (last, waiting))
    if ordinary is not None and safety is not None and safety.index < ordinary.index:
        yield f"safety {held['safety'] + 1} of {me} waits behind ordinary {held['ordinary']} to {peer}"


def _check_overtaken(sender: Core, receiver: Core) -> Iterator[str]:
    """The same over the whole record: at no moment, whatever was lost, late or doubled (H-CEA-4)."""
    me, peer = sender.identity.party, receiver.identity.party
    if len(sender.epochs) > 1:
        return  # what a recovery brought back stands in another order than it was said in
    said = [
        statement
        for entry, _, statement, _ in sender.journal.replay()
        if statement is not None and entry.header.kind == "made" and statement.recipient == peer
    ]
    came = [
        statement.id
        for entry, _, statement, _ in receiver.journal.replay()
        if statement is not None and entry.header.kind == "received" and statement.party == me
    ]
    for statement in overtaken(said, came):
        yield f"ordinary {statement.sequence} of {me} came to {peer} before a safety statement that was made earlier"


def overtaken(said: Sequence[Statement], came: Sequence[str]) -> list[Statement]:
    """The ordinary statements that came in before a safety statement that was made earlier.

    Args:
        said: by one party to another, in the order they were made.
        came: their ids in the order they came in; what did not come in came last.
    """
    place = {id_: number for number, id_ in enumerate(came)}
    newest, found = -1, []
    for statement in said:
        at = place.get(statement.id, len(came))
        if statement.chain == "safety":
            newest = max(newest, at)
        elif at < newest:
            found.append(statement)
    return found


def _check_signed_first(core: Core) -> Iterator[str]:
    """Nothing of an officer's goes on the ordinary chain to whom a request waits to be signed (H-CEA-4).

    Requests to one party are signed in the order they were filed, so the oldest that waits is signed next.
    """
    me = core.identity.party
    if len(core.epochs) > 1:
        return  # what a recovery brought back was signed before the loss
    waiting: Counter[str] = Counter()
    for entry, _, statement, _ in core.journal.replay():
        if entry.local is not None:
            if entry.local["type"] == "statement/filed" and entry.local["said"] in ASKING:
                waiting.update(entry.local["to"])
        elif statement is None or entry.header.kind != "made":
            continue
        elif statement.type in ASKING:
            waiting[statement.recipient] -= 1
        elif (
            statement.chain == "ordinary"
            and waiting[statement.recipient] > 0
            and not statement.type.startswith("receipt/")  # of the frame that opened the line
        ):
            yield f"ordinary {statement.sequence} of {me} was signed while a request to {statement.recipient} waited"


def _check_steps(core: Core) -> Iterator[str]:
    """Each step up is taken once, in order, and after the one before it was due (H-CEA-2)."""
    me = core.identity.party
    steps: dict[str, list[tuple[int, int]]] = {}
    for entry, _, _, _ in core.journal.replay():
        if entry.local is not None and entry.local["type"] == "urgent/escalated":
            step = (entry.local["step"], entry.local["due_us"])
            steps.setdefault(entry.local["urgent"], []).append(step)
    for id_, taken in steps.items():
        if taken != sorted(taken) or [one for one, _ in taken] != list(range(1, len(taken) + 1)):
            yield f"{me}: the steps of {id_[:12]} are {[one for one, _ in taken]}"


def _check_delivered(core: Core, liars: frozenset[str]) -> Iterator[str]:
    """Everything that was filed and addressed to a party has that party's receipt."""
    me = core.identity.party
    for entry, _, _, _ in core.journal.replay():
        local = entry.local
        if local is None or local["type"] != "notice/filed":
            continue
        notice = core.state.notices.get(local["notice"])
        version = notice.versions.get(local["version"]) if notice else None
        for to in set(local["to"]) - liars:
            said = version.statements.get(to) if version else None
            if said is None or said not in core.state.receipts:
                yield f"{local['notice']} version {local['version']} of {me} was never delivered to {to}"
    for peer in set(core.state.peers) - liars:
        for chain in CHAINS:
            for statement, _ in core.journal.chain(link_name(me, peer), chain, 0, 1_000_000):
                if earns_receipt(statement.type) and statement.id not in core.state.receipts:
                    yield f"{statement.type} {chain} {statement.sequence} of {me} has no receipt from {peer}"


def _check_hotline(one: Core, other: Core) -> Iterator[str]:
    """Both sides say the same of what was asked and answered, and of what was declared of their line."""
    names = [core.identity.party for core in (one, other)]
    here, there = (
        {
            urgent.id: ([reply.move for reply in urgent.replies], urgent.status in OPEN)
            for urgent in core.state.urgent.known.values()
            if sorted((urgent.party, urgent.to)) == sorted(names)
        }
        for core in (one, other)
    )
    if here != there:
        wrong = sorted(id_ for id_ in {*here, *there} if here.get(id_) != there.get(id_))
        yield f"{names[0]} and {names[1]} disagree on what was said of {wrong[0][:12]}"
    same, other_same = (
        {
            proposal.statement: (proposal.state, proposal.answer)
            for proposal in core.state.resolution.known.values()
            if sorted((proposal.party, proposal.to)) == sorted(names)
        }
        for core in (one, other)
    )
    if same != other_same:
        wrong = sorted(id_ for id_ in {*same, *other_same} if same.get(id_) != other_same.get(id_))
        yield f"{names[0]} and {names[1]} disagree on what became of proposal {wrong[0][:12]}"
    if declared_of(one.state, names[1]) != declared_of(other.state, names[0]):
        yield f"{names[0]} and {names[1]} disagree on what was declared of their line"


def _check_conflicts(one: Core, other: Core) -> Iterator[str]:
    common = common_notices(one, other)
    here, there = live_conflicts(one, common), live_conflicts(other, common)
    if here != there:
        only = sorted(set(here) ^ set(there)) or sorted(i for i in here if here[i] != there[i])
        yield f"{one.identity.party} and {other.identity.party} disagree on conflict {only[0][:12]}"


def _check_advice(one: Core, other: Core) -> Iterator[str]:
    """What would clear a conflict is the same bytes on both sides, and every option of it is clear (A-PRI-1)."""
    names = {core.identity.party for core in (one, other)}
    for id_ in islice(sorted(live_conflicts(one, common_notices(one, other))), ADVISED):
        conflict = one.state.conflicts[id_]
        if {side["id"].partition(":")[0] for side in conflict.record["notices"]} != names:
            continue
        found = []
        for core in (one, other):
            if id_ not in core.state.conflicts:
                return  # said already: they disagree on the conflict itself
            try:
                found.append(
                    encode_canonical(shared_advice(core, core.state.conflicts[id_]).record())
                )
            except DetenteError as error:
                found.append(error.code.encode())
        if found[0] != found[1]:
            yield f"{' and '.join(sorted(names))} advise differently on conflict {id_[:12]}"


def _show(heads: dict[str, Head]) -> str:
    return ", ".join(f"{chain} {heads[chain].sequence}" for chain in CHAINS)
