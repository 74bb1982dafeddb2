// Health: what needs a person, each sync, and how far everything is read.

import { get, path, post } from "./api.js";
import { perHour, round } from "./chart.js";
import { confirm } from "./confirm.js";
import { button, h, section, swap } from "./dom.js";
import { badge, exact, many, setNow, when } from "./format.js";
import { notices } from "./notices.js";
import { card, pause, resume } from "./syncs.js";
import { table } from "./table.js";

const AGAIN_MS = 30_000;

export function health(main, _parts, { acts, counted }) {
  const status = section("Syncs", () => get("status"), (said) => {
    setNow(said.at);
    counted(said);
    read.replaceChildren("as of ", h("time", { datetime: said.at, title: exact(said.at) }, `${said.at.slice(11, 16)} UTC`));
    swap(details, reading(said, acts, status.again), status);
    return [needs(said), everySync(said, acts, status.again),
      h("div", { class: "cards" }, said.syncs.map((sync) => card(sync, said.holds.find((each) => each.sync === sync.name), acts, status.again)))];
  });
  const read = h("p", { class: "quiet read" });
  const details = h("div", {});
  const picture = section("The last 24 hours", () => get("hours"), perHour);
  const told = notices();
  main.append(read, h("div", { class: "columns" }, status, h("div", {}, picture, told)), details);
  const timer = setInterval(() => {
    // Not under somebody's hands: what is asked or typed stays. A button that has the focus has it afterwards, too.
    if (document.hidden || document.activeElement.matches("input, select, textarea") || document.querySelector("dialog[open]")) return;
    status.again();
    picture.again();
    told.again();
  }, AGAIN_MS);
  return () => clearInterval(timer);
}

/** What a person has to look at, each with the place where it is done. */
function needs(said) {
  const waiting = said.holds.reduce((sum, each) => sum + each.waiting, 0);
  const late = said.feeds.filter((each) => each.error || (each.completed_age_s ?? 0) > 1800);
  const dead = said.subscriptions.filter((each) => each.state !== "live");
  const poisoned = said.poisoned + said.queues.filter((each) => each.poison).reduce((sum, each) => sum + each.depth, 0);
  const items = [
    waiting && [h("a", { href: "#/holds" }, `${many(waiting, "removal")} held`), ": read who it is, then approve or reject."],
    ...said.creations.filter((each) => each.waiting).map((each) => [h("a", { href: "#/newcomers" }, `${many(each.waiting, "newcomer")} of ${each.sync}`), " waiting: ask why so many came, then approve or wait."]),
    ...said.syncs.filter((each) => each.stopped).map((each) => [`${each.name} is stopped: ${each.stopped.hint}`]),
    said.parked.length && [h("a", { href: "#/parked" }, `${many(said.parked.length, "user")} set aside`), ": see the causes."],
    ...late.map((each) => [`Feed ${each.tenant}/${each.feed}: ${each.error ?? "no round was completed for 30 minutes"}. `, h("code", {}, "xtsync doctor"), " says what helps."]),
    ...dead.map((each) => [`Subscription ${each.tenant}/${each.resource} is ${each.state}: changes are found by the poll, within minutes.`]),
    poisoned && [`${many(poisoned, "message")} failed again and again: `, h("code", {}, "xtsync poison"), " lists them."],
  ].filter(Boolean);
  if (!items.length) return h("p", { class: "calm" }, "Nothing waits for a person.");
  return h("ul", { class: "needs", "aria-label": "What needs a person" }, items.map((item) => h("li", {}, item)));
}

function everySync(said, acts, again) {
  if (!acts || said.syncs.length < 2) return null;
  const paused = said.syncs.some((each) => each.control !== "running");
  return h("p", { class: "actions" }, button("Pause every sync …", () => pause(null, false, again)),
    paused && button("Resume every sync …", () => resume(null, again)));
}

function reading(said, acts, again) {
  return [
    part("Feeds", feeds(said.feeds), acts && tenants(said).map((tenant) => button(`Read ${tenant} again …`, () => resync(tenant, again)))),
    h("div", { class: "halves" }, part("Subscriptions", subscriptions(said.subscriptions)), part("Queues", queues(said.queues))),
    said.refused.length ? part("Attributes that Graph refuses", refused(said.refused)) : null,
  ].filter(Boolean);
}

const part = (title, body, actions) =>
  h("section", { "aria-label": title }, h("h2", {}, title), body, actions ? h("p", { class: "actions" }, actions) : null);

const tenants = (said) => [...new Set(said.feeds.map((each) => each.tenant))];

function feeds(rows) {
  const columns = [
    { label: "Feed", value: (row) => `${row.tenant}/${row.feed}` },
    { label: "Round", value: (row) => row.phase, cell: round },
    { label: "Kind", value: (row) => (row.full ? "full" : "changes") },
    { label: "Begun", value: (row) => row.started_at, cell: (row) => when(row.started_at) },
    { label: "Completed", value: (row) => row.completed_at, cell: (row) => when(row.completed_at) },
    { label: "Error", value: (row) => row.error ?? "", cell: (row) => (row.error ? badge(row.error, "bad") : "none") },
  ];
  return table({ label: "Feeds", columns, rows, none: "No feed: sync.yaml names no sync." });
}

function subscriptions(rows) {
  const kinds = { live: "good", expired: "bad", missing: "bad" };
  const columns = [
    { label: "Of", value: (row) => `${row.tenant}/${row.resource}` },
    { label: "State", value: (row) => row.state, cell: (row) => badge(row.state, kinds[row.state]) },
    { label: "Expires", value: (row) => row.expires_at, cell: (row) => when(row.expires_at) },
  ];
  return table({ label: "Subscriptions", columns, rows, none: "No subscription is recorded: the hourly timer makes them." });
}

function queues(all) {
  const failed = new Map(all.filter((each) => each.poison).map((each) => [each.name, each.depth]));
  const rows = all.filter((each) => !each.poison).map((each) => ({ ...each, failed: failed.get(`${each.name}-poison`) ?? 0 }));
  const columns = [
    { label: "Queue", value: (row) => row.name },
    { label: "Messages", value: (row) => row.depth, number: true },
    { label: "Unreadable", value: (row) => row.unreadable, number: true },
    { label: "Failed for good", value: (row) => row.failed, number: true },
  ];
  return table({ label: "Queues", columns, rows, none: "No queue is there: deploy again." });
}

function refused(rows) {
  const columns = [
    { label: "Whom", value: (row) => row.source_id, cell: (row) => h("a", { href: `#/people/${path(row.sync, row.source_id)}` }, h("code", {}, row.source_id)) },
    { label: "Sync", value: (row) => row.sync },
    { label: "Attributes", value: (row) => row.attributes.join(", ") },
    { label: "Since", value: (row) => row.since, cell: (row) => when(row.since) },
    { label: "Next try", value: (row) => row.next_try_at, cell: (row) => when(row.next_try_at) },
  ];
  return table({ label: "Attributes that Graph refuses", columns, rows });
}

async function resync(tenant, again) {
  const done = await confirm({
    title: `Read everybody of ${tenant} again?`,
    about: h("p", {}, "A full round compares everybody and changes only what differs. It is rarely needed, and safe."),
    yes: "Read again",
    act: async () => {
      const failed = (await post(path("resync", tenant))).rounds.find((each) => each.error);
      return failed ? `It did not start: ${failed.error}` : `A full round of ${tenant} starts now.`;
    },
  });
  if (done) again();
}
