"""Simulated watch officers: they file, amend, cancel, open and cease at random."""

from __future__ import annotations

from collections.abc import Collection

from detente.airspace.altitude import build_altitude
from detente.airspace.area import Area, Circle, Geometry
from detente.airspace.distance import middle_and_radius
from detente.airspace.volume import build_volume
from detente.errors import DetenteError
from detente.hotline.cease import CEASE_REPLIES, EMERGENCY_REPLIES
from detente.hotline.health import SCOPES
from detente.hotline.resolution import ProposalMove
from detente.notice.activity import ActivityNotice, build_notice
from detente.notice.readback import ReadBack
from detente.protocol import advising, cease, ladder, linestate, resolving
from detente.simulation.chance import Chance
from detente.simulation.node import Crashed, SimNode
from detente.units import (
    NANODEG_PER_DEG,
    TENTH_MM_PER_FT,
    TENTH_MM_PER_NM,
    US_PER_S,
    format_time,
)

EVERY_S = 2400  # between two acts of one officer, on average
MINUTE_US = 60 * US_PER_S
_STEP = NANODEG_PER_DEG // 100


def random_notice(name: str, chance: Chance, now_us: int, *, exercise: bool) -> ActivityNotice:
    """A circle or a box over a small sea, so that some notices meet and most do not."""
    lon = 35 * NANODEG_PER_DEG + chance.below(120) * _STEP
    lat = 35 * NANODEG_PER_DEG + chance.below(80) * _STEP
    geometry: Geometry
    if chance.happens(500):
        geometry = Circle((lon, lat), chance.between(1, 8) * TENTH_MM_PER_NM)
    else:
        east, top = lon + chance.between(5, 30) * _STEP, lat + chance.between(5, 20) * _STEP
        ring = ((lon, lat), (east, lat), (east, top), (lon, top), (lon, lat))
        geometry = Area(((ring,),))
    floor = chance.below(30) * 1000 * TENTH_MM_PER_FT
    datum = chance.pick(("MSL", "MSL", "STD"))
    start_us = now_us + chance.between(-5, 60) * MINUTE_US
    piece = build_volume(
        geometry,
        "planar",
        build_altitude(floor, "ft", datum, field="lower"),
        build_altitude(floor + 3000 * TENTH_MM_PER_FT, "ft", datum, field="upper"),
        start_us,
        start_us + chance.between(5, 90) * MINUTE_US,
        field="pieces[0]",
    )
    return build_notice(
        name=name,
        exercise=exercise,
        activity=chance.pick(("patrol", "transit", "recon")),
        pieces=(piece,),
        text="simulated",
    )


class Officer:
    """One party's watch officer.

    Attributes:
        filed: notice id and version of everything the node said it had taken.
        ceases: how many cease requests the node said it had taken.
    """

    def __init__(
        self, node: SimNode, chance: Chance, every_s: int = EVERY_S, liars: Collection[str] = ()
    ) -> None:
        self.node = node
        self._liars = frozenset(liars)
        self._every_s = every_s
        self.filed: list[tuple[str, int]] = []
        self.ceases = 0
        self._chance = chance
        self._number = 0
        self._names: list[tuple[str, bool]] = []

    def wait_us(self) -> int:
        """How long until the next act."""
        return self._chance.between(self._every_s // 6, self._every_s * 11 // 6) * US_PER_S

    def _peers(self) -> list[str]:
        """Who is spoken to: what a liar gets, its own stories say."""
        return [peer for peer in self.node.running.state.peers if peer not in self._liars]

    def act(self) -> None:
        """Do something; what the node does not take, or dies over, counts as not done."""
        try:
            self._act(self._chance.below(100))
        except (Crashed, DetenteError):
            return

    def _act(self, choice: int) -> None:
        chance, node, now_us = self._chance, self.node, self.node.now_us()
        if choice < 20 and self._names:
            name, exercise = chance.pick(self._names)
            notice = random_notice(name, chance, now_us, exercise=exercise)
            filed = node.run(
                lambda core: core.file_notice(
                    notice, (), now_us, amend=True, officer="officer", desk="operations-cell"
                )
            )
        elif choice < 30 and self._names:
            name, _ = chance.pick(self._names)
            notice_id = f"{node.name}:{name}"
            filed = node.run(
                lambda core: core.cancel_notice(
                    notice_id, "done", now_us, officer="officer", desk="operations-cell"
                )
            )
        elif choice < 40:
            to = (chance.pick(self._peers()),)
            values = {"reason": "cease now"}
            node.run(
                lambda core: core.say(
                    "hotline/cease",
                    values,
                    to,
                    now_us,
                    exercise=True,
                    officer="officer",
                    desk="operations-cell",
                )
            )
            self.ceases += 1
            return
        elif choice < 50:
            self._speak(now_us)
            return
        elif choice < 60:
            others = {node.name, *self._liars}
            seen = sorted(i for i, n in node.running.state.notices.items() if n.party not in others)
            if seen:
                self._climb(chance.pick(seen), now_us)
            return
        elif choice < 85 and self._resolve(now_us):
            return
        else:
            self._number += 1
            name, exercise = f"A-{self._number}", chance.happens(800)
            notice = random_notice(name, chance, now_us, exercise=exercise)
            peers = self._peers()
            only = [chance.pick(peers)] if chance.happens(200) else peers
            filed = node.run(
                lambda core: core.file_notice(
                    notice, only, now_us, officer="officer", desk="operations-cell"
                )
            )
            self._names.append((name, exercise))
        self.filed.append((filed.id, filed.version))

    def _speak(self, now_us: int) -> None:
        """Answer what a peer asked, tell of an emergency, or declare a line suspended and resume it."""
        chance, node = self._chance, self.node
        who = {"officer": "officer", "desk": "operations-cell"}
        state = node.running.state
        known = state.urgent.known.values()
        asked = [o for o in known if o.to == node.name and o.party not in self._liars]
        how = chance.below(10)
        if how < 6 and asked:
            one = chance.pick(asked)
            if one.kind == "emergency":
                said = chance.pick(EMERGENCY_REPLIES)
                node.run(lambda core: cease.reply_to_emergency(core, one.id, said, now_us, **who))
            elif chance.happens(300):
                node.run(
                    lambda core: cease.cease_effective(
                        core, one.id, now_us, officer="officer", desk="operations-cell"
                    )
                )
            else:
                word = chance.pick(CEASE_REPLIES)
                node.run(lambda core: cease.reply_to_cease(core, one.id, word, now_us, **who))
        elif how < 8:
            values = {"kind": "other", "at": format_time(now_us), "place": None}
            node.run(
                lambda core: cease.say_emergency(
                    core, values, self._peers(), now_us, exercise=True, **who
                )
            )
        else:
            peer, scope = chance.pick(self._peers()), chance.pick(SCOPES)
            mine = [one for one in linestate.declared_of(state, peer) if one.by == node.name]
            if mine:
                node.run(
                    lambda core: linestate.declare(
                        core, peer, "resumed", mine[0].scope, "again", now_us, **who
                    )
                )
            elif chance.happens(40):  # seldom, so that most filings still go
                node.run(
                    lambda core: linestate.declare(
                        core, peer, "suspended", scope, "why", now_us, **who
                    )
                )

    def _resolve(self, now_us: int) -> bool:
        """Do what was accepted, answer a proposal, or propose a way out of a conflict; False where nothing waits for it."""
        chance, node = self._chance, self.node
        who = {"officer": "officer", "desk": "operations-cell"}
        core = node.running
        rows = [
            row
            for row in resolving.proposal_rows(core)
            if row.party not in self._liars and row.to not in self._liars
        ]
        keeps = [row.id for row in rows if row.ours_to_keep is not None]
        asked = [row.id for row in rows if row.ours_to_answer]
        if keeps and chance.happens(700):
            done = chance.pick(keeps)
            filed = node.run(lambda core: resolving.amend_as_accepted(core, done, now_us, **who))
            self.filed.append((filed.id, filed.version))
            return True
        if asked and chance.happens(800):
            about = chance.pick(asked)
            said: ProposalMove = chance.pick(("accept", "accept", "decline", "counter"))
            option = None
            if said == "counter":
                conflict = core.state.resolution.known[about].conflict
                option = self._option(conflict)
            node.run(
                lambda core: resolving.answer_proposal(
                    core, about, said, now_us, option=option, precedence="flash", **who
                )
            )
            return True
        live = sorted(
            one.id
            for one in core.state.conflicts.values()
            if one.live(core.state.notices)
            and any(side["id"].startswith(f"{node.name}:") for side in one.record["notices"])
            and not any(
                side["id"].partition(":")[0] in self._liars for side in one.record["notices"]
            )
        )
        if not live:
            return False
        id_ = chance.pick(live)
        key = self._option(id_)
        precedence = chance.pick(("flash", "urgent", "routine"))
        node.run(
            lambda core: resolving.propose(core, id_, key, now_us, precedence=precedence, **who)
        )
        return True

    def _option(self, conflict: str) -> str:
        """One of the options of the shared advice, by chance.

        Raises:
            UsageError, UnavailableError: there is no advice now.
        """
        core = self.node.running
        found = advising.shared_advice(core, advising.find_conflict(core, conflict))
        return self._chance.pick([option.key for option in found.options] or ["none/later"])

    def _climb(self, wanted: str, now_us: int) -> None:
        """Open a peer's notice, read it back rightly or wrongly, pass it down, or act on it."""
        chance, node = self._chance, self.node
        who = {"officer": "officer", "desk": "operations-cell"}
        how = chance.below(10)
        if how < 6:
            node.run(lambda core: (None, core.open_notice(wanted, now_us, **who)))
        elif how < 8:
            volumes = node.running.volumes(wanted)
            if volumes is None:
                return
            middle, _ = middle_and_radius([piece.geometry for piece in volumes.pieces])
            north, late_us = chance.pick((0, 0, 5 * _STEP)), chance.pick((0, 0, 10 * MINUTE_US))
            place = (middle[0], middle[1] + north)
            said = ReadBack(place, None, volumes.start_us, volumes.end_us + late_us)
            node.run(lambda core: ladder.read_back(core, wanted, said, None, now_us, **who))
        elif how < 9:
            time = format_time(now_us)
            unit = ladder.Unit(chance.pick(("tower", "1 Sqn")), time, chance.pick((time, None)))
            node.run(lambda core: ladder.disseminate(core, wanted, [unit], now_us, **who))
        else:
            node.run(lambda core: ladder.act(core, wanted, "noted", None, None, now_us, **who))
