// Holds: removals that the guard stopped, deletions and disablings. A decision covers exactly those that are chosen on exactly this list.

import { get, paused, post, turns } from "./api.js";
import { confirm } from "./confirm.js";
import { button, h, section } from "./dom.js";
import { badge, many, when } from "./format.js";
import { decider, nameOf, person, told } from "./names.js";
import { table } from "./table.js";

const STATES = { held: "warn", "approval expired": "warn", approved: "good", rejected: "quiet" };
const NAMED = 20; // people whom the question names one by one, and of whom the outcome is told

export function holds(main, _parts, context) {
  const outcomes = h("div", { "aria-live": "polite" });
  const past = decisions();
  const made = removals(context, decided);
  main.append(outcomes, made, past);

  function again() {
    get("status").then(context.counted, () => {});
    made.again();
    past.again();
  }

  async function decided(decision, users) {
    again();
    if (decision !== "approve") return;
    outcomes.replaceChildren(...(await carriedOut(users, made)).map((each) => h("p", {}, each)));
    // Not under somebody's hands: what is chosen or asked by now stays.
    if (made.isConnected && !made.querySelector("input:checked") && !document.querySelector("dialog")) again();
  }
}

/** Waits until those who were approved are no longer on the list, and says of each what became of them. */
async function carriedOut(users, made) {
  let left = users;
  for await (const _ of turns(made)) {
    const said = await get("holds").catch(() => null);
    left = said ? left.filter((user) => said.holds.some((hold) => hold.sync === user.sync && hold.source_id === user.source_id)) : left;
    if (!left.length) break;
  }
  if (!made.isConnected) return [];
  const outcomes = users.filter((user) => !left.includes(user)).slice(0, NAMED).map(async ({ sync, source_id: user }) => {
    const { events } = await get("activity", { sync, user, limit: 1 }).catch(() => ({ events: [] }));
    return [person(sync, user), ": ", told(sync, events[0]?.text ?? "no longer held", events[0]?.operator), "."];
  });
  const waits = left.length > 0 && [`${many(left.length, "approved removal")} not carried out yet. Read this list again later; an approval lasts 24 hours.`];
  return [...(await Promise.all(outcomes)), waits].filter(Boolean);
}

function removals({ acts, query }, decided) {
  const [sync, user] = [query.get("sync"), query.get("user")];
  const made = section("Held removals", () => get("holds", { sync }), (list) => {
    const listed = list.holds.filter((hold) => !user || hold.source_id === user);
    const chosen = new Set();
    const approve = button("", () => decide("approve", list, chosen, decided), { class: "danger" });
    const reject = button("", () => decide("reject", list, chosen, decided));
    const every = button("Choose all that wait", () => {
      listed.filter(waits).forEach((hold) => chosen.add(hold));
      shown.replaceWith((shown = draw()));
      count();
    });
    const count = () => {
      approve.textContent = `Approve ${chosen.size} …`;
      reject.textContent = `Reject ${chosen.size} …`;
      approve.disabled = reject.disabled = !chosen.size;
    };
    const draw = () => held(listed, acts && chosen, count);
    let shown = draw();
    count();
    const waiting = listed.filter(waits).length;
    const only = sync && h("p", {}, "Only ", user ? person(sync, user) : "those", ` of ${sync}. `, h("a", { href: "#/holds" }, "Show all"));
    if (!listed.length) return [only, shown];
    return [
      only,
      h("p", {}, `${many(waiting, "removal")} waiting. These people keep their access until somebody decides. First ask why so many leave at once: an emptied group or a changed attribute looks the same from here.`),
      shown,
      !acts && h("p", { class: "quiet" }, "An Operator decides about them; a Reader sees them."),
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
  return table({ label: "Held removals", columns, rows, none: "Nothing is held.", sorted: "Held", choice, onchoice, choosable });
}

const change = (row) => ({ SoftDelete: "delete", Disable: "disable" })[row.change] ?? row.change;

function state(row) {
  const who = row.decided_by && h("span", { class: "quiet" }, " by ", decider(row.sync, row.decided_by), " ", when(row.decided_at));
  return h("span", {}, badge(row.state, STATES[row.state]), who);
}

async function decide(decision, list, chosen, decided) {
  const users = [...chosen].map(({ sync, source_id }) => ({ sync, source_id }));
  const named = [...chosen].slice(0, NAMED).map((row) => h("li", {}, person(row.sync, row.source_id, true), ` ${change(row)}: ${row.cause ?? "cause not recorded"}`));
  const rest = chosen.size > NAMED && h("p", {}, `… and ${chosen.size - NAMED} more, as chosen in the list.`);
  const meaning = decision === "approve"
    ? "Each of them is read once more, and loses access if that read says the same. An approval that is not used within 24 hours is void."
    : "They keep their access until somebody decides anew, or the cause is another one.";
  const stopped = decision === "approve" ? [...(await paused(users.map(({ sync }) => sync))).keys()] : [];
  const later = stopped.length > 0 && h("p", {}, h("strong", {}, `Paused: ${stopped.join(", ")}. Nothing is removed there before somebody lets it go on.`));
  const done = await confirm({
    title: `${decision === "approve" ? "Approve" : "Reject"} ${many(users.length, "removal")}?`,
    about: h("div", {}, h("p", {}, meaning), later, h("ul", { class: "named" }, named), rest),
    yes: decision === "approve" ? `Approve ${users.length}` : `Reject ${users.length}`,
    danger: decision === "approve",
    act: async () => {
      const said = await post("holds", { decision, code: list.code, users });
      const changed = said.changed.length ? ` ${said.changed.length} changed meanwhile: look at them again.` : "";
      return `${many(said.users.length, "removal")} ${said.decision}.${changed}`;
    },
  });
  if (done) decided(decision, users);
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
      { label: "By", value: (row) => row.decided_by, cell: (row) => decider(row.sync, row.decided_by) },
    ];
    const none = "Nobody has decided about a held removal yet.";
    return table({ label: "Decisions", columns, rows: said.decisions, none, sorted: "When", descending: true });
  });
}
