/** One sentence for an alarm, and where it leads. */
import { i18n, t } from "../i18n/index.svelte";
import { inert } from "../lib/inert";
import { picture, type Alarm } from "../state/picture.svelte";

const NAME_MOST = 80;
const RUNGS: ReadonlySet<string> = new Set(["opened", "read-back", "disseminated"]); // of a notice's ladder that have a deadline
const PHRASE = /^[a-z]{1,32}\.[a-z][a-z0-9-]{0,31}$/; // the id of a phrase: in words it is in its thread
const REPLY = "reply"; // to a cease request or an emergency

/** Puts a name between isolates, so that a name in another script does not turn the sentence round. */
export function isolate(text: unknown, most: number = NAME_MOST): string {
  return `\u2068${inert(text, most)}\u2069`;
}

export function alarmWords(alarm: Alarm): string {
  // where the whole agreement is an exercise the frame says so already
  return alarm.exercise && !picture.head?.exercise_only ? `EXERCISE ${words(alarm)}` : words(alarm);
}

function words(alarm: Alarm): string {
  // the own one first, so that no side's name decides the order
  const own = `${picture.head?.party}:`;
  const [first = "", second = ""] = alarm.notices.toSorted((a, b) => Number(b.startsWith(own)) - Number(a.startsWith(own))).map((id) => isolate(id));
  const party = isolate(picture.nameOf(alarm.party));
  if (alarm.kind === "fault") {
    const known = i18n.has(`codes.${alarm.code}`);
    return t("frame.alarm-fault", { words: known ? t(`codes.${alarm.code}`) : isolate(alarm.message, 200), party });
  }
  if (alarm.kind === "no-answer" && alarm.code?.startsWith("answer")) return t("frame.alarm-no-answer-message", { party });
  if (alarm.kind === "no-answer" && alarm.code === "proposal-answer") return t("frame.alarm-no-answer-proposal", { party });
  if (alarm.kind === "no-answer" && alarm.code?.startsWith("kept-")) return t("frame.alarm-no-answer-kept", { party });
  if (alarm.kind === "message" && PHRASE.test(alarm.message ?? "")) return t("frame.alarm-message", { party, reason: t("frame.coded-phrase") });
  const rung = alarm.kind === "no-answer" && (RUNGS.has(alarm.code ?? "") || alarm.code === REPLY) ? `-${alarm.code}` : "";
  return t(`frame.alarm-${alarm.kind}${rung}`, { first, second, party, reason: isolate(alarm.message, 300) });
}

export function alarmPlace(alarm: Alarm, router: { to(view: string, id?: string, params?: Record<string, string>): string }): string {
  const urgent = alarm.kind === "cease" || alarm.kind === "emergency" || (alarm.kind === "no-answer" && alarm.code === REPLY);
  if (urgent && alarm.statement) return router.to("urgent", alarm.statement);
  // what is owed in conversation leads to where it is answered, not to what the conversation is about
  if (alarm.statement && (alarm.kind === "message" || (alarm.kind === "no-answer" && alarm.code?.startsWith("answer")))) return router.to("talk", alarm.statement);
  if (alarm.kind === "proposal" && alarm.code) return router.to("conflicts", alarm.code);
  if (alarm.kind === "no-answer" && (alarm.code === "proposal-answer" || alarm.code?.startsWith("kept-"))) return router.to("conflicts");
  if (alarm.conflict) return router.to("conflicts", alarm.conflict);
  const ladder = alarm.kind === "read-back" || (alarm.kind === "no-answer" && RUNGS.has(alarm.code ?? ""));
  if (alarm.notices[0] && ladder) return router.to("notices", alarm.notices[0], { part: "receipts" });
  if (alarm.notices[0]) return router.to("notices", alarm.notices[0]);
  if (alarm.kind === "line" || alarm.kind === "line-declared" || alarm.kind === "comm-check") return router.to("lines");
  return router.to("alarms");
}
