"""Commands of conversation: messages, answers, call records, and the phrasebook."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from detente.cli.client import Api
from detente.cli.output import (
    dtg,
    errors,
    exercise_banner,
    lead,
    out,
    print_table,
    show,
    table,
    when,
)
from detente.cli.slots import parse_slots
from detente.errors import UsageError
from detente.node.outcome import EXIT_BAD_NEWS

app = typer.Typer(
    help="Talk with the other desks, and record what was said by voice.", no_args_is_help=True
)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Dir = Annotated[Path, typer.Argument(metavar="DIR", help="A node's directory.")]
To = Annotated[
    list[str] | None,
    typer.Option("--to", help="Recipient; repeat for more. Default: who is in the thread, or all."),
]
Thread = Annotated[
    str | None,
    typer.Option(help="A talk, notice, conflict or cease request. Default: a new talk."),
]
Exercise = Annotated[bool, typer.Option(help="This is an exercise.")]
Language = Annotated[str, typer.Option(help="Language of the words, such as en, ru, he or ar.")]


def _said(found: dict[str, Any]) -> None:
    if found["draft"] is not None:
        out.print(
            f"{found['thread']}: draft {found['draft']} waits for a second officer", markup=False
        )
        return
    waits = [party for party in found["to"] if party not in found["signed"]]
    waiting = f"; waits for the line to {', '.join(waits)}" if waits else ""
    out.print(f"{found['thread']}: said to {', '.join(found['to'])}{waiting}", markup=False)


@app.command()
@errors
def say(
    directory: Dir,
    text: Annotated[
        str | None, typer.Argument(metavar="[TEXT]", help="Free words; or give --phrase.")
    ] = None,
    phrase: Annotated[
        str | None, typer.Option(help="A coded phrase: see detente phrasebook.")
    ] = None,
    slot: Annotated[
        list[str] | None, typer.Option(help="A slot of the phrase, NAME=VALUE; repeat for more.")
    ] = None,
    desk: Annotated[str, typer.Option(help="The desk it goes to.")] = "operations-cell",
    precedence: Annotated[
        str, typer.Option(help="routine, priority, urgent or flash.")
    ] = "routine",
    language: Language = "en",
    translator: Annotated[str | None, typer.Option(help="Who put it into that language.")] = None,
    thread: Thread = None,
    to: To = None,
    exercise: Exercise = False,
    confirmed: Annotated[
        bool, typer.Option("--confirmed", help="Send it although the node asks about its words.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say something to a desk of another party; exits 1 when the node asks first."""
    body = {
        "desk": desk,
        "precedence": precedence,
        "language": language,
        "text": text,
        "phrase": phrase,
        "slots": parse_slots(slot or []),
        "translator": translator,
        "thread": thread,
        "to": to or [],
        "exercise": exercise,
        "confirmed": confirmed,
    }
    with Api(directory) as api:
        found = api.json("POST", "/api/v1/talks", body=body)

    def words() -> None:
        if found["said"] is not None:
            _said(found["said"])
            return
        for one in found["questions"]:
            out.print(
                f"not sent: {one['word']!r} reads as {one['why']}; such a text belongs at the desk {one['desk']}",
                markup=False,
            )
        out.print("  to send it all the same, add --confirmed", markup=False)

    show(found, as_json, words)
    if found["said"] is None:
        raise typer.Exit(EXIT_BAD_NEWS)


@app.command()
@errors
def answer(
    directory: Dir,
    message: Annotated[
        str, typer.Argument(metavar="MESSAGE", help="Its statement, or the beginning of it.")
    ],
    answer: Annotated[
        str, typer.Argument(metavar="ANSWER", help="affirm, negative, wilco, unable or standby.")
    ],
    text: Annotated[str | None, typer.Option(help="A word beside it.")] = None,
    as_json: Json = False,
) -> None:
    """Answer a message."""
    with Api(directory) as api:
        found = api.json(
            "POST", f"/api/v1/messages/{message}/answer", body={"answer": answer, "text": text}
        )
    show(found, as_json, lambda: _said(found))


@app.command()
@errors
def release(
    directory: Dir,
    draft: Annotated[
        int, typer.Argument(metavar="DRAFT", help="Its number, as detente talk list shows it.")
    ],
    as_json: Json = False,
) -> None:
    """Release a message of the leaders that another officer drafted."""
    with Api(directory) as api:
        found = api.json("POST", f"/api/v1/drafts/{draft}/release")
    show(found, as_json, lambda: _said(found))


@app.command()
@errors
def discard(
    directory: Dir,
    draft: Annotated[
        int, typer.Argument(metavar="DRAFT", help="Its number, as detente talk list shows it.")
    ],
    as_json: Json = False,
) -> None:
    """Give up a draft."""
    with Api(directory) as api:
        found = api.json("POST", f"/api/v1/drafts/{draft}/discard")
    show(found, as_json, lambda: out.print(f"draft {draft} is given up", markup=False))


@app.command("list")
@errors
def list_command(directory: Dir, as_json: Json = False) -> None:
    """List all threads; exits 1 while an answer of ours is owed."""
    with Api(directory) as api:
        found = api.json("GET", "/api/v1/talks")
        rows, after = {row["key"]: row for row in found["talks"]}, found.pop("next")
        while after is not None:
            page = api.json("GET", "/api/v1/talks", params={"before": after})
            rows |= {row["key"]: row for row in page["talks"]}
            after = page["next"]
        found["talks"] = sorted(rows.values(), key=lambda row: row["last"], reverse=True)

    def text() -> None:
        if not found["talks"] and not found["drafts"]:
            out.print("nothing was said in this record yet")
            return
        rows = table("THREAD", "MESSAGES", "CALLS", "LAST", "WE OWE", "DUE", "THEY OWE", "")
        for row in found["talks"]:
            counts = (row["messages"], row["calls"])
            rows.add_row(
                row["key"],
                *map(str, counts),
                dtg(row["last"]),
                str(row["owed"]),
                dtg(row["due"]),
                str(row["owed_to"]),
                "EXERCISE" if row["exercise"] else "",
            )
        print_table(rows)
        for draft in found["drafts"]:
            out.print(
                f"draft {draft['draft']} in {draft['thread']} by {draft['officer']} waits for a second officer",
                markup=False,
            )

    show(found, as_json, text)
    if any(row["owed"] for row in found["talks"]):
        raise typer.Exit(EXIT_BAD_NEWS)


@app.command("show")
@errors
def show_command(
    directory: Dir,
    thread: Annotated[
        str, typer.Argument(metavar="THREAD", help="Its id, as detente talk list shows it.")
    ],
    language: Language = "en",
    as_json: Json = False,
) -> None:
    """Show one thread; a peer's messages count as opened from now on."""
    with Api(directory) as api:
        found = api.json("GET", f"/api/v1/talks/{thread}", params={"language": language})

    def text() -> None:
        talk = found["talk"]
        out.print(
            f"{exercise_banner(talk['exercise'])}{talk['key']}: {', '.join(talk['parties'])}",
            markup=False,
            style="bold",
        )
        for row in found["messages"]:
            _message(row)
        for row in found["calls"]:
            _call(row)
        for row in found["drafts"]:
            words = row["original"]["text"] if row["original"] else "a phrase not known here"
            out.print(f"draft {row['draft']} by {row['officer']}: {words}", markup=False)
        for row in found["waiting"]:
            words = row["original"]["text"] if row["original"] else row["answer"] or row["said"]
            out.print(f"waits for the line to {', '.join(row['waiting'])}: {words}", markup=False)

    show(found, as_json, text)


def _message(row: dict[str, Any]) -> None:
    out.print(
        f"{dtg(row['time'])}  {row['party']} {row['from_desk']} to {row['to']} {row['desk']}, {row['precedence']}"
        f"  [{row['statement'][:12]}]",
        markup=False,
    )
    shown, original = row["shown"], row["original"]
    for words in (shown, original if original != shown else None):
        if words is not None:
            out.print(f"  {words['language']}: {words['text']}", markup=False)
    if original is None:
        out.print(f"  phrase {row['phrase']}, not known here: {row['slots']}", markup=False)
    if row["translator"]:
        out.print(f"  put into {row['language']} by {row['translator']}", markup=False)
    for one in row["answers"]:
        words = f": {one['text']}" if one["text"] else ""
        late = "  LATE" if one["late"] else ""
        out.print(f"  {dtg(one['time'])}  {one['answer']}{words}{late}", markup=False)
    if row["state"] in ("asked", "standby") and row["due"]:
        overdue = "  NO ANSWER" if row["unanswered"] else ""
        out.print(f"  answer due {when(row['due'])}{overdue}", markup=False)


@app.command()
@errors
def call(
    directory: Dir,
    summary: Annotated[str, typer.Argument(metavar="SUMMARY", help="What was said.")],
    began: Annotated[str, typer.Option(help="When it began, RFC 3339 in Z.")],
    ended: Annotated[str, typer.Option(help="When it ended.")],
    answered_after_s: Annotated[
        int | None, typer.Option(help="Seconds until somebody answered; leave out if nobody did.")
    ] = None,
    held_s: Annotated[int, typer.Option(help="Seconds on hold.")] = 0,
    line: Annotated[str, typer.Option(help="Which line.")] = "safety",
    desk: Annotated[str, typer.Option(help="The desk that was called.")] = "operations-cell",
    language: Language = "en",
    interpreter: Annotated[str | None, typer.Option(help="Who interpreted.")] = None,
    thread: Thread = None,
    to: To = None,
    exercise: Exercise = False,
    as_json: Json = False,
) -> None:
    """Record what was said by voice, for the other side to agree with."""
    body = {
        "line": line,
        "desk": desk,
        "began": began,
        "ended": ended,
        "answered_after_s": answered_after_s,
        "held_s": held_s,
        "language": language,
        "interpreter": interpreter,
        "summary": summary,
        "thread": thread,
        "to": to or [],
        "exercise": exercise,
    }
    with Api(directory) as api:
        found = api.json("POST", "/api/v1/calls", body=body)
    show(found, as_json, lambda: _said(found))


@app.command()
@errors
def calls(directory: Dir, as_json: Json = False) -> None:
    """List call records; what one party alone has signed is its claim."""
    with Api(directory) as api:
        found = api.json("GET", "/api/v1/calls")

    def text() -> None:
        if not found["calls"]:
            out.print("no call in this record")
        for row in found["calls"]:
            _call(row)

    show(found, as_json, text)


def _call(row: dict[str, Any]) -> None:
    state = {
        "claimed": f"claimed by {row['party']}",
        "agreed": "agreed by both",
        "disputed": f"claimed by {row['party']}, disputed by {row['to']}",
    }[row["state"]]
    answered = (
        "nobody answered"
        if row["answered_after_s"] is None
        else f"answered after {lead(row['answered_after_s'])}, held {lead(row['held_s'])}"
    )
    out.print(
        f"{dtg(row['began'])}  call on {row['line']} to {row['to']} {row['desk']}, until {dtg(row['ended'])}, {answered}: "
        f"{state}  [{row['statement'][:12]}]",
        markup=False,
    )
    interpreter = f", interpreted by {row['interpreter']}" if row["interpreter"] else ""
    out.print(f"  {row['language']}{interpreter}: {row['summary']}", markup=False)
    for one in row["said"]:
        words = f": {one['text']}" if one["text"] else ""
        out.print(f"  {dtg(one['time'])}  {one['party']} {one['answer']}{words}", markup=False)


@app.command()
@errors
def agree(
    directory: Dir,
    call: Annotated[
        str, typer.Argument(metavar="CALL", help="Its statement, or the beginning of it.")
    ],
    agrees: Annotated[bool, typer.Option("--yes/--no", help="Whether the record is right.")] = True,
    text: Annotated[str | None, typer.Option(help="What is wrong with it.")] = None,
    as_json: Json = False,
) -> None:
    """Sign that the other side's call record is right, or that it is not."""
    with Api(directory) as api:
        found = api.json(
            "POST", f"/api/v1/calls/{call}/agree", body={"agrees": agrees, "text": text}
        )
    show(found, as_json, lambda: _said(found))


@errors
def phrasebook(
    language: Language = "en",
    group: Annotated[str | None, typer.Option(help="Only one group of phrases.")] = None,
    as_json: Json = False,
) -> None:
    """Show the coded phrases, with their slots in braces."""
    from detente.hotline.phrasebook import GROUPS
    from detente.node.phrases import phrasebook as read

    book = read()
    if language not in book.languages or group not in (None, *GROUPS):
        raise UsageError(
            "language-unknown" if group in (None, *GROUPS) else "group-unknown",
            f"there are {', '.join(book.languages)}, in groups {', '.join(GROUPS)}; it must be one of them",
            field="--language",
        )
    words = book.languages[language]
    texts = {
        id_: text
        for id_, text in words.texts.items()
        if group is None or id_.startswith(f"{group}.")
    }

    def text() -> None:
        review = "" if words.review == "reviewed" else "  (draft: no officer has reviewed it)"
        out.print(f"{words.name}{review}", markup=False, style="bold")
        for id_, one in texts.items():
            out.print(f"  {id_:<38} {one}", markup=False)

    show(
        {"language": words.code, "review": words.review, "phrases": texts},
        as_json,
        text,
    )
