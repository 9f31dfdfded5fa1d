/**
 * The views, in the order of the rail. A new capability adds its line here, its words to `i18n/*` and its component beside this file.
 * `panel` views stand beside the map; `page` views take the map's place; `hidden` ones are reached from others.
 */
import type { Component } from "svelte";
import type { IconName } from "../lib/Icon.svelte";
import type { Session } from "../state/session.svelte";

export interface View {
  id: string;
  icon: IconName;
  letter: string; // the key that opens it
  layout: "panel" | "page";
  hidden?: boolean;
  needs?: Session["actions"][number]; // an action of the officer's role, without which the view is not offered
  load: () => Promise<{ default: Component }>;
  detail?: () => Promise<{ default: Component<{ id: string }> }>; // beside it, when the address names an id
}

export const VIEWS: readonly View[] = [
  {
    id: "notices",
    icon: "notices",
    letter: "n",
    layout: "panel",
    load: () => import("./Notices.svelte"),
    detail: () => import("./NoticeDetail.svelte"),
  },
  {
    id: "conflicts",
    icon: "conflicts",
    letter: "c",
    layout: "panel",
    load: () => import("./Conflicts.svelte"),
    detail: () => import("./ConflictDetail.svelte"),
  },
  { id: "alarms", icon: "alarms", letter: "a", layout: "panel", load: () => import("./Alarms.svelte") },
  {
    id: "talk",
    icon: "talk",
    letter: "t",
    layout: "panel",
    load: () => import("./Talk.svelte"),
    detail: () => import("./TalkDetail.svelte"),
  },
  { id: "file", icon: "file", letter: "f", layout: "panel", needs: "say", load: () => import("./Filing.svelte") },
  { id: "ask", icon: "ask", letter: "q", layout: "panel", load: () => import("./Ask.svelte") },
  { id: "desks", icon: "desks", letter: "w", layout: "page", load: () => import("./Desks.svelte") },
  { id: "lines", icon: "lines", letter: "l", layout: "page", load: () => import("./Lines.svelte") },
  { id: "settings", icon: "settings", letter: "s", layout: "panel", load: () => import("./Settings.svelte") },
  { id: "help", icon: "help", letter: "h", layout: "page", load: () => import("./Help.svelte") },
  {
    id: "urgent",
    icon: "alarms",
    letter: "",
    layout: "panel",
    hidden: true,
    load: () => import("./Urgent.svelte"),
    detail: () => import("./UrgentDetail.svelte"),
  },
  { id: "print", icon: "print", letter: "", layout: "page", hidden: true, load: () => import("./Print.svelte") },
];

export function findView(id: string): View {
  return VIEWS.find((view) => view.id === id) ?? VIEWS[0]!;
}
