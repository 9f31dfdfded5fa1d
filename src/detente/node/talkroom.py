"""The routes of conversation: threads, messages and their answers, drafts, call records, the phrasebook."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from detente.hotline.desk import DeskQuestion, ask_desk
from detente.hotline.phrasebook import GROUPS, check_slots, render_phrase
from detente.node import shapes
from detente.node.node import Node
from detente.node.operators import Action, Officer
from detente.node.phrases import phrasebook
from detente.protocol import conversation
from detente.protocol.conversation import CallRow, DraftRow, Spoken, TalkDetail, TalkRow
from detente.protocol.core import Core
from detente.protocol.effect import Effect
from detente.protocol.statement import Thread
from detente.protocol.talk import talk_key

FindOfficer = Callable[[Request[Any, Any, Any], Action], Awaitable[Officer]]
Said = Literal["affirm", "negative", "wilco", "unable", "standby"]


class NewMessage(msgspec.Struct, forbid_unknown_fields=True):
    """A message to a desk: a text in one language, or a phrase with its slots.

    Attributes:
        thread: an id as `GET /api/v1/talks` shows it, or of a notice, a conflict, a cease request; null for a new talk.
        confirmed: what the node would ask about the text has been asked.
    """

    desk: str
    precedence: str = "routine"
    language: str = "en"
    text: str | None = None
    phrase: str | None = None
    slots: dict[str, Any] = {}
    translator: str | None = None
    thread: str | None = None
    to: list[str] = []
    exercise: bool = False
    confirmed: bool = False


class NewAnswer(msgspec.Struct, forbid_unknown_fields=True):
    """An answer to a message."""

    answer: Said
    text: str | None = None


class NewCall(msgspec.Struct, forbid_unknown_fields=True):
    """What was said by voice: which line and desk, how long it rang, was held and lasted, in which language, and what about.

    Attributes:
        answered_after_s: null where nobody answered.
    """

    line: str
    desk: str
    began: str
    ended: str
    answered_after_s: int | None
    summary: str
    held_s: int = 0
    language: str = "en"
    interpreter: str | None = None
    thread: str | None = None
    to: list[str] = []
    exercise: bool = False


class Agreed(msgspec.Struct, forbid_unknown_fields=True):
    """Whether a call record is right."""

    agrees: bool
    text: str | None = None


class MessageAnswer(msgspec.Struct, frozen=True):
    """What became of a message.

    Attributes:
        said: null when the node asks first; then nothing was said.
        questions: what it asks. Ask the officer, and send it again with `confirmed`.
    """

    said: Spoken | None
    questions: list[DeskQuestion]


class TalkList(msgspec.Struct, frozen=True):
    """Threads, what was said last first; and the drafts that wait for a second officer.

    Attributes:
        next: `before` of the next page, null on the last. Threads in which an answer is owed are all on the first.
    """

    talks: list[TalkRow]
    drafts: list[DraftRow]
    next: int | None


class CallList(msgspec.Struct, frozen=True):
    """All call records, newest first."""

    calls: list[CallRow]


class PhraseRow(msgspec.Struct, frozen=True):
    """One phrase in a language, with its slots in braces; `draft` until an officer has reviewed it."""

    id: str
    group: str
    slots: list[str]
    text: str
    review: Literal["draft", "reviewed"]
    reviewed_by: str | None
    reviewed_on: str | None


class LanguageRow(msgspec.Struct, frozen=True):
    """A language of the phrasebook; `draft` until an officer whose language it is has reviewed it."""

    code: str
    name: str
    direction: Literal["ltr", "rtl"]
    review: Literal["draft", "reviewed"]


class PhraseList(msgspec.Struct, frozen=True):
    """The phrasebook in one language."""

    language: LanguageRow
    languages: list[LanguageRow]
    groups: list[str]
    phrases: list[PhraseRow]


class Phrase(msgspec.Struct, forbid_unknown_fields=True):
    """A phrase with its slots, as a message carries it."""

    phrase: str
    slots: dict[str, Any] = {}


class Rendering(msgspec.Struct, frozen=True):
    """A phrase in one language; `draft` until an officer whose language it is has reviewed the words."""

    language: str
    direction: Literal["ltr", "rtl"]
    review: Literal["draft", "reviewed"]
    text: str


class RenderingList(msgspec.Struct, frozen=True):
    """A phrase in every language of the phrasebook."""

    renderings: list[Rendering]


def talk_routes(node: Node, officer: FindOfficer) -> list[Any]:
    """The routes.

    Args:
        officer: who asks, checked for the action.
    """

    def thread_of(core: Core, wanted: str | None) -> Thread | None:
        return None if wanted is None else conversation.find_thread(core, wanted)

    @get("/api/v1/talks", summary="Threads of conversation, and drafts", tags=["conversation"])
    async def talks(
        request: Request[Any, Any, Any],
        language: FromQuery[str] = "en",
        before: FromQuery[int | None] = None,
    ) -> TalkList:
        await officer(request, "read")

        def question(core: Core) -> TalkList:
            rows, after = conversation.talk_rows(core, phrasebook(), language, before)
            return TalkList(rows, conversation.draft_rows(core, phrasebook()), after)

        found: TalkList = await node.do(question)
        return found

    @post(
        "/api/v1/talks",
        status_code=201,
        summary="Say a message; 200 and questions when the node asks first",
        tags=["conversation"],
        responses=shapes.answers(201, MessageAnswer),
    )
    async def say(
        request: Request[Any, Any, Any], data: JSONBody[NewMessage]
    ) -> Response[MessageAnswer]:
        who = await officer(request, "say")
        optional = {
            "text": data.text,
            "phrase": data.phrase,
            "slots": data.slots or None,
            "translator": data.translator,
        }
        values = {
            "desk": data.desk,
            "language": data.language,
            "precedence": data.precedence,
            **{name: value for name, value in optional.items() if value is not None},
        }

        def job(core: Core) -> tuple[MessageAnswer, list[Effect]]:
            # H-TAL-5: a question, never a refusal
            questions = ask_desk(data.text or "", data.desk, core.agreement().terms.desks)
            if questions and not data.confirmed:
                return MessageAnswer(None, questions), []
            said, effects = conversation.say_message(
                core,
                values,
                thread_of(core, data.thread),
                data.to,
                node.now_us(),
                book=phrasebook(),
                officer=who.name,
                desk=who.desk,
                exercise=data.exercise,
            )
            return MessageAnswer(said, questions), effects

        found: MessageAnswer = await node.run(job)
        return Response(found, status_code=200 if found.said is None else 201)

    @get(
        "/api/v1/talks/{thread:str}",
        summary="One thread in a language; a watch officer's look is reported as opened",
        tags=["conversation"],
    )
    async def talk(
        request: Request[Any, Any, Any],
        thread: FromPath[str],
        language: FromQuery[str] = "en",
        opened: FromQuery[bool] = True,
    ) -> TalkDetail:
        who = await officer(request, "read")

        def job(core: Core) -> tuple[TalkDetail, list[Effect]]:
            found = conversation.find_thread(core, thread)
            effects: list[Effect] = []
            if opened and who.role in ("watch", "supervisor", "local"):
                effects = conversation.open_talk(
                    core, talk_key(found), node.now_us(), officer=who.name, desk=who.desk
                )
            detail = conversation.talk_detail(
                core, found, node.now_us(), book=phrasebook(), language=language
            )
            return detail, effects

        detail: TalkDetail = await node.run(job)
        return detail

    @post(
        "/api/v1/messages/{message:str}/answer",
        status_code=201,
        summary="Answer a message",
        tags=["conversation"],
    )
    async def answer(
        request: Request[Any, Any, Any], message: FromPath[str], data: JSONBody[NewAnswer]
    ) -> Spoken:
        who = await officer(request, "say")
        found: Spoken = await node.run(
            lambda core: conversation.answer_message(
                core,
                message,
                data.answer,
                data.text,
                node.now_us(),
                officer=who.name,
                desk=who.desk,
            )
        )
        return found

    @post(
        "/api/v1/drafts/{draft:int}/release",
        status_code=201,
        summary="Release a message of the leaders that another officer drafted",
        tags=["conversation"],
    )
    async def release(request: Request[Any, Any, Any], draft: FromPath[int]) -> Spoken:
        who = await officer(request, "say")
        found: Spoken = await node.run(
            lambda core: conversation.release_draft(
                core, draft, node.now_us(), officer=who.name, desk=who.desk
            )
        )
        return found

    @post(
        "/api/v1/drafts/{draft:int}/discard",
        status_code=200,
        summary="Give up a draft",
        tags=["conversation"],
    )
    async def discard(request: Request[Any, Any, Any], draft: FromPath[int]) -> Spoken:
        who = await officer(request, "say")
        found: Spoken = await node.run(
            lambda core: conversation.discard_draft(
                core, draft, node.now_us(), officer=who.name, desk=who.desk
            )
        )
        return found

    @get("/api/v1/calls", summary="Call records", tags=["conversation"])
    async def calls(request: Request[Any, Any, Any]) -> CallList:
        await officer(request, "read")
        found: CallList = await node.do(lambda core: CallList(conversation.call_rows(core)))
        return found

    @post(
        "/api/v1/calls",
        status_code=201,
        summary="Record what was said by voice, for the other side to agree with",
        tags=["conversation"],
    )
    async def record(request: Request[Any, Any, Any], data: JSONBody[NewCall]) -> Spoken:
        who = await officer(request, "say")
        values = {
            name: getattr(data, name)
            for name in (
                *("answered_after_s", "began", "desk", "ended", "held_s", "language", "line"),
                "summary",
            )
        }
        if data.interpreter is not None:
            values["interpreter"] = data.interpreter
        found: Spoken = await node.run(
            lambda core: conversation.record_call(
                core,
                values,
                thread_of(core, data.thread),
                data.to,
                node.now_us(),
                officer=who.name,
                desk=who.desk,
                exercise=data.exercise,
            )
        )
        return found

    @post(
        "/api/v1/calls/{call:str}/agree",
        status_code=201,
        summary="Sign that a call record is right, or that it is not",
        tags=["conversation"],
    )
    async def agree(
        request: Request[Any, Any, Any], call: FromPath[str], data: JSONBody[Agreed]
    ) -> Spoken:
        who = await officer(request, "say")
        found: Spoken = await node.run(
            lambda core: conversation.agree_call(
                core,
                call,
                data.agrees,
                data.text,
                node.now_us(),
                officer=who.name,
                desk=who.desk,
            )
        )
        return found

    @get("/api/v1/phrasebook", summary="Coded phrases in a language", tags=["conversation"])
    async def phrases(
        request: Request[Any, Any, Any], language: FromQuery[str] = "en"
    ) -> PhraseList:
        await officer(request, "read")
        book = phrasebook()
        words = book.language(language)
        rows = [
            LanguageRow(one.code, one.name, one.direction, one.review)
            for one in book.languages.values()
        ]
        return PhraseList(
            language=next(row for row in rows if row.code == words.code),
            languages=rows,
            groups=list(GROUPS),
            phrases=[
                PhraseRow(
                    id_,
                    id_.partition(".")[0],
                    list(book.slots(id_)),
                    text,
                    (review := words.review_of(id_)).status,
                    review.by,
                    review.on,
                )
                for id_, text in words.texts.items()
            ],
        )

    @post(
        "/api/v1/phrasebook/render",
        status_code=200,
        summary="A phrase with its slots in every language, as each side would read it; says nothing",
        tags=["conversation"],
    )
    async def render(request: Request[Any, Any, Any], data: JSONBody[Phrase]) -> RenderingList:
        await officer(request, "read")
        book = phrasebook()
        check_slots(book, data.phrase, data.slots)
        return RenderingList(
            [
                Rendering(one.code, one.direction, one.review_of(data.phrase).status, text)
                for one in book.languages.values()
                if (text := render_phrase(book, data.phrase, data.slots, one.code)) is not None
            ]
        )

    return [talks, say, talk, answer, release, discard, calls, record, agree, phrases, render]
