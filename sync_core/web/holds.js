// Holds: deletions that the guard stopped. A decision covers exactly those that are chosen on exactly this list.

import { get, post } from "./api.js";
import { confirm } from "./confirm.js";
import { button, h, section } from "./dom.js";
import { badge, many, when } from "./format.js";
import { nameOf, person } from "./names.js";
import { table } from "./table.js";

const STATES = { held: "warn", "approval expired": "warn", approved: "good", rejected: "quiet" };
const NAMED = 20; // people whom the question names one by one

// Each thing that waits for a decision is a part of its own.
const PARTS = [deletions, decisions];

export function holds(main, _parts, context) {
  main.append(...PARTS.map((part) => part(context)));
}

function deletions({ acts }) {
  const made = section("Held deletions", () => get("holds"), (list) => {
    const chosen = new Set();
    const approve = button("", () => decide("approve", list, chosen, made.again), { class: "danger" });
    const reject = button("", () => decide("reject", list, chosen, made.again));
    const every = button("Choose all that wait", () => {
      list.holds.filter(waits).forEach((hold) => chosen.add(hold));
      shown.replaceWith((shown = draw()));
      count();
    });
    const count = () => {
      approve.textContent = `Approve ${chosen.size} …`;
      reject.textContent = `Reject ${chosen.size} …`;
      approve.disabled = reject.disabled = !chosen.size;
    };
    const draw = () => held(list.holds, acts && chosen, count);
    let shown = draw();
    count();
    const waiting = list.holds.filter(waits).length;
    if (!list.holds.length) return shown;
    return [
      h("p", {}, `${many(waiting, "deletion")} waiting. These people keep their access until somebody decides. First ask why so many leave at once: an emptied group or a changed attribute looks the same from here.`),
      shown,
      acts && h("p", { class: "actions" }, waiting > 0 && every, approve, reject),
      h("p", { class: "actions quiet" }, h("span", {}, "This list has the code ", h("code", {}, list.code), ".")),
    ];
  });
  return made;
}

const waits = (hold) => hold.state === "held" || hold.state === "approval expired";

function held(rows, choice, onchoice) {
  const columns = [
    { label: "Whom", value: (row) => `${nameOf(row.sync, row.source_id)} ${row.source_id}`, cell: (row) => person(row.sync, row.source_id) },
    { label: "Sync", value: (row) => row.sync },
    { label: "What", value: change },
    { label: "Cause", value: (row) => row.cause ?? "not recorded", cell: (row) => h("span", { dir: "auto" }, row.cause ?? "not recorded") },
    { label: "Held", value: (row) => row.held_at, cell: (row) => when(row.held_at) },
    { label: "State", value: (row) => row.state, cell: state },
    { label: "Full window", value: (row) => row.reason },
  ];
  const choosable = (row) => row.state !== "approved";
  return table({ label: "Held deletions", columns, rows, none: "No deletion is held.", sorted: "Held", choice, onchoice, choosable });
}

const change = (row) => ({ SoftDelete: "delete", Disable: "disable" })[row.change] ?? row.change;

function state(row) {
  const who = row.decided_by && h("span", { class: "quiet" }, " by ", h("code", {}, row.decided_by), " ", when(row.decided_at));
  return h("span", {}, badge(row.state, STATES[row.state]), who);
}

async function decide(decision, list, chosen, again) {
  const users = [...chosen].map(({ sync, source_id }) => ({ sync, source_id }));
  const named = [...chosen].slice(0, NAMED).map((row) => h("li", {}, person(row.sync, row.source_id, true), ` ${change(row)}: ${row.cause ?? "cause not recorded"}`));
  const rest = chosen.size > NAMED && h("p", {}, `… and ${chosen.size - NAMED} more, as chosen in the list.`);
  const meaning = decision === "approve"
    ? "Each of them is read once more, and loses access if that read says the same. An approval that is not used within 24 hours is void."
    : "They keep their access until somebody decides anew, or the cause is another one.";
  const done = await confirm({
    title: `${decision === "approve" ? "Approve" : "Reject"} ${many(users.length, "deletion")}?`,
    about: h("div", {}, h("p", {}, meaning), h("ul", { class: "named" }, named), rest),
    yes: decision === "approve" ? `Approve ${users.length}` : `Reject ${users.length}`,
    danger: decision === "approve",
    act: async () => {
      const said = await post("holds", { decision, code: list.code, users });
      const changed = said.changed.length ? ` ${said.changed.length} changed meanwhile: look at them again.` : "";
      return `${many(said.users.length, "deletion")} ${said.decision}.${changed}`;
    },
  });
  if (done) again();
}

function decisions() {
  return section("Decisions", () => get("decisions"), (said) => {
    const columns = [
      { label: "When", value: (row) => row.decided_at, cell: (row) => when(row.decided_at) },
      { label: "Decision", value: (row) => row.decision, cell: (row) => badge(row.decision, STATES[row.decision]) },
      { label: "Whom", value: (row) => `${nameOf(row.sync, row.source_id)} ${row.source_id}`, cell: (row) => person(row.sync, row.source_id) },
      { label: "Sync", value: (row) => row.sync },
      { label: "What", value: change },
      { label: "Cause", value: (row) => row.cause ?? "not recorded" },
      { label: "By", value: (row) => row.decided_by, cell: (row) => h("code", {}, row.decided_by) },
    ];
    const none = "Nobody has decided about a held deletion yet.";
    return table({ label: "Decisions", columns, rows: said.decisions, none, sorted: "When", descending: true });
  });
}
