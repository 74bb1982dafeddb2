// One sync as a card: its state, the room that the guard has left, and what an operator can do about it.

import { path, post } from "./api.js";
import { gauge } from "./chart.js";
import { confirm } from "./confirm.js";
import { button, h } from "./dom.js";
import { badge, span, when } from "./format.js";
import { decider } from "./names.js";

/** The state in one word, and how urgent it is. Paused is not failed. */
export function stateOf(sync) {
  if (sync.stopped) return ["stopped", "bad"];
  if (sync.removing) return ["being removed", "warn"];
  if (sync.control !== "running") return [sync.control, "warn"];
  return sync.mode === "observe" ? ["observes", "quiet"] : ["runs", "good"];
}

export function card(sync, holds, acts, changed) {
  const [state, kind] = stateOf(sync);
  return h("article", { class: "card", "aria-label": sync.name },
    h("h3", {}, sync.name, badge(state, kind)),
    h("p", {}, `${sync.source} → ${sync.target}, last event `, when(sync.last_activity_at)),
    said(sync), windows(sync), waiting(holds),
    acts && h("p", { class: "actions" }, actions(sync, changed)));
}

function said(sync) {
  const facts = [];
  if (sync.stopped) facts.push(h("p", { class: "failure" }, h("strong", {}, sync.stopped.reason), " ", sync.stopped.hint));
  if (sync.mode === "observe") facts.push(h("p", {}, "It decides and records, and writes nothing to the target."));
  if (sync.control !== "running") {
    const who = ["Since ", when(sync.controlled_at), ", by ", sync.controlled_by ? decider(sync.name, sync.controlled_by) : "somebody"];
    facts.push(h("p", {}, who, ": ", h("q", { dir: "auto" }, sync.control_reason ?? "no reason")));
  }
  return facts;
}

function windows(sync) {
  return h("dl", { class: "windows" }, sync.windows.map(({ counts, window_s, used, limit }) => [
    h("dt", {}, `Taken away in ${span(window_s)}, ${counts === "sync" ? "this sync" : `all into ${sync.target}`}`),
    h("dd", {}, gauge(used, limit)),
  ]));
}

function waiting(holds) {
  if (!holds?.waiting) return null;
  return h("p", {}, h("a", { href: `#/holds?${new URLSearchParams({ sync: holds.sync })}` }, `${holds.waiting} held`), " and waiting for a person.");
}

function actions(sync, changed) {
  const pauses = [
    sync.control !== "paused" && button("Pause everything …", () => pause(sync, false, changed)),
    sync.control === "running" && button("Pause deletions …", () => pause(sync, true, changed)),
  ];
  return [...pauses, sync.control !== "running" && button("Resume …", () => resume(sync, changed), { class: "primary" })];
}

/** Of one sync, or of all where `sync` is null. */
export async function pause(sync, deletionsOnly, changed) {
  const what = deletionsOnly
    ? "Nobody is deleted or disabled in the target; everything else goes on."
    : "Nothing is written to the target: nobody is invited, changed, disabled or deleted.";
  const done = await confirm({
    title: `${deletionsOnly ? "Pause deletions of" : "Pause"} ${sync ? sync.name : "every sync"}?`,
    about: h("p", {}, `${what} It works within seconds, and nothing is lost: what is put off is done when it goes on.`),
    asked: "Reason, for those who see it later",
    yes: "Pause",
    act: async (reason) => {
      const { syncs } = await post(sync ? path("pause", sync.name) : "pause", { reason, deletions_only: deletionsOnly });
      return `${syncs.map((each) => each.sync).join(", ")}: ${syncs[0].control}.`;
    },
  });
  if (done) changed();
}

export async function resume(sync, changed) {
  const done = await confirm({
    title: `Let ${sync ? sync.name : "every sync"} go on?`,
    about: h("p", {}, "A full round reads everybody, and what was put off is done. Deletions pass the guard."),
    yes: "Resume",
    act: async () => {
      const { syncs, rounds } = await post(sync ? path("resume", sync.name) : "resume");
      const failed = rounds.filter((each) => each.error);
      const later = failed.length ? " The round could not start now; the next poll starts it." : "";
      return `${syncs.map((each) => each.sync).join(", ")}: ${syncs[0].control}.${later}`;
    },
  });
  if (done) changed();
}
