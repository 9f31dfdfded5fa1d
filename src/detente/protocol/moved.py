"""Where the notices of a conflict would be after a change that clears it, drawn for an officer's eye."""

from __future__ import annotations

import msgspec

from detente.conflict.advice import apply_move
from detente.errors import UnavailableError
from detente.protocol.advising import shared_advice
from detente.protocol.core import Core
from detente.protocol.fold import ConflictState
from detente.protocol.picture import Piece, draw_pieces


class MovedNotice(msgspec.Struct, frozen=True):
    """One notice as it would be filed.

    Attributes:
        notice: its id.
        pieces: its volumes, moved.
    """

    notice: str
    pieces: list[Piece]


def moved_notices(core: Core, conflict: ConflictState, key: str) -> list[MovedNotice]:
    """What an option of the shared advice moves, drawn where it would then be.

    Empty where there is no such option, or none any more: whoever looks at advice asks for what was in it a moment ago.

    Args:
        key: the option's.

    Raises:
        UsageError: as `shared_advice`, but for a conflict that is resolved.
        UnavailableError: as `shared_advice`; ``notice-withheld``.
    """
    if not conflict.live(core.state.notices):
        return []
    option = shared_advice(core, conflict).option(key)
    if option is None:
        return []
    moved = []
    for move in option.moves:
        volumes = core.volumes(move.notice)
        if volumes is None:  # destroyed since the advice was made
            raise UnavailableError(
                "notice-withheld",
                f"the volumes of {move.notice} are not in this record; they must be, to be moved",
            )
        moved.append(MovedNotice(move.notice, draw_pieces(apply_move(volumes, move))))
    return moved
