// Plan: what would happen to everybody, by the deployed sync.yaml or by another one. Nothing of it is done.

import { get, path, post } from "./api.js";
import { button, empty, failure, h, say, section, select } from "./dom.js";
import { badge, coded, exact, many, span, when, words } from "./format.js";
import { decider, nameOf, person } from "./names.js";
import { table } from "./table.js";

const MOST_BYTES = 64 * 1024; // of a file: the app takes no more
const FIRST_PAUSE = 1000; // milliseconds between two questions how far it is, more with each
const LONGEST_PAUSE = 5000;
const STATES = { queued: "quiet", running: "quiet", done: "good", failed: "bad" };
const FAULT = /^sync\.yaml:(\d+)/;

export function plan(main, [id], context) {
  if (id) return one(main, id, context.query);
  main.append(question(context), section("Plans of the last week", () => get("plan"), ({ plans }) => listed(plans)));
}

// --- asking for one ---

function question({ syncs, acts }) {
  const wrong = h("div", {});
  const text = h("textarea", { id: "candidate", rows: 10, spellcheck: "false", autocomplete: "off", autocapitalize: "off" });
  const file = h("input", { id: "file", type: "file", accept: ".yaml,.yml,text/yaml", onchange });
  const sync = h("input", { id: "only", type: "text", list: "syncs", autocomplete: "off", spellcheck: "false" });
  const go = h("button", { type: "submit", class: "primary" }, "Plan");

  async function onchange() {
    const [chosen] = file.files;
    if (!chosen) return;
    wrong.replaceChildren(...(chosen.size > MOST_BYTES ? [tooLong()] : []));
    text.value = chosen.size > MOST_BYTES ? "" : await chosen.text();
  }

  async function deployed() {
    try {
      text.value = (await get("config")).sync_yaml;
      wrong.replaceChildren();
      text.focus();
    } catch (error) {
      wrong.replaceChildren(failure(error));
    }
  }

  async function onsubmit(event) {
    event.preventDefault();
    const asked = { sync_yaml: text.value.trim() ? text.value : null, sync: sync.value.trim() || null };
    if (new TextEncoder().encode(text.value).length > MOST_BYTES) return wrong.replaceChildren(tooLong());
    go.disabled = true;
    wrong.replaceChildren();
    try {
      const said = await post("plan", asked);
      if (go.isConnected) location.hash = `#/plan/${path(said.id)}`;
    } catch (error) {
      wrong.replaceChildren(refused(error, text));
    } finally {
      go.disabled = false;
    }
  }

  return h("section", { "aria-label": "A new plan" }, h("h2", {}, "A new plan"),
    h("p", {}, "A plan reads everybody of the source tenants and decides as the app would now; both guards count. Nothing is written to any tenant."),
    h("form", { class: "planned", onsubmit },
      h("p", {}, h("label", { for: "candidate" }, "The sync.yaml to plan. Left empty, it is the deployed one."), text),
      acts && h("p", { class: "actions" }, button("Begin with the deployed file", deployed)),
      h("p", {}, h("label", { for: "file" }, "Or choose the file, of at most 64 KiB"), file),
      h("p", {}, h("label", { for: "only" }, "Only the sync of this name. Left empty, all of them."), sync,
        h("datalist", { id: "syncs" }, syncs.map((name) => h("option", { value: name })))),
      wrong, h("p", { class: "actions" }, go, h("span", { class: "quiet" }, "It goes on without this page, and its people are kept for a week."))));
}

const tooLong = () => failure({ message: "The file has more than 64 KiB.", hint: "Plan a longer one with xtsync plan, where the app's settings are." });

/** Each fault of the file on a line of its own; a press on one goes to that line of the text. */
function refused(error, text) {
  if (error.status !== 400) return failure(error);
  const faults = error.messages.map((message) => {
    const line = text.value && FAULT.exec(message)?.[1];
    return h("li", { dir: "auto" }, message, line && [" ", button(`Go to line ${line}`, () => goTo(text, Number(line)))]);
  });
  return failure({ message: "This cannot be planned.", hint: error.hint, more: h("ul", { "aria-label": "Faults" }, faults) });
}

function goTo(text, line) {
  const lines = text.value.split("\n");
  const begin = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  text.focus();
  text.setSelectionRange(begin, begin + (lines[line - 1] ?? "").length);
  text.scrollTop = ((line - 3) * text.scrollHeight) / lines.length;
}

// --- those that were asked for ---

function listed(plans) {
  const columns = [
    { label: "Asked for", value: (row) => row.asked_at, cell: (row) => h("a", { href: `#/plan/${path(row.id)}` }, when(row.asked_at)) },
    { label: "State", value: (row) => row.state, cell: (row) => badge(row.state, STATES[row.state] ?? "quiet") },
    { label: "Of", value: of },
    { label: "Took", value: (row) => row.seconds, cell: (row) => span(row.seconds), number: true },
    { label: "Looked at", value: (row) => row.decided, cell: (row) => row.decided.toLocaleString("en"), number: true },
    { label: "By", value: (row) => row.asked_by, cell: (row) => decider(row.sync, row.asked_by) },
  ];
  return table({ label: "Plans", columns, rows: plans, none: "Nobody asked for a plan within a week.", sorted: "Asked for", descending: true });
}

const of = ({ candidate, sync }) => `${candidate ? "another file" : "the deployed file"}${sync ? `, ${sync} alone` : ""}`;

// --- one of them ---

const over = ({ state }) => state === "done" || state === "failed";

function one(main, id, query) {
  const asked = { sync: query.get("sync") ?? "", change: query.get("change") ?? "" };
  const whom = h("div", {});
  let pause = FIRST_PAUSE;
  let timer;
  let awaited = false;
  const made = section("The plan", () => get(path("plan", id)), (said) => {
    if (over(said)) {
      if (awaited) say(`The plan is ${said.state}.`);
      whom.replaceChildren(...(said.syncs.some(({ counts }) => Object.keys(counts).length) ? [people(id, said, asked)] : []));
    } else if (made.isConnected) {
      awaited = true;
      timer = setTimeout(made.again, pause);
      pause = Math.min(pause * 1.5, LONGEST_PAUSE);
    }
    return [facts(said), stand(said), found(id, said)];
  });
  main.append(h("p", {}, h("a", { href: "#/plan" }, "Another plan")), made, whom);
  return () => clearTimeout(timer);
}

function facts(said) {
  return h("p", {}, badge(said.state, STATES[said.state] ?? "quiet"), ` Of ${of(said)}; asked for `, when(said.asked_at), " by ",
    decider(said.sync, said.asked_by), over(said) ? `; took ${span(said.seconds)}.` : `; ${span(said.seconds)} so far.`);
}

/** How far it is, or why it failed. */
function stand(said) {
  if (said.state === "failed") return failure({ message: said.error, hint: said.hint });
  if (said.state === "queued") return h("p", { class: "loading" }, "It waits for its turn. This page follows it; the address of the page leads back to it.");
  const [text, value, max] = said.users === null
    ? [`Reading the tenants: ${many(said.read, "entry").replace(/entrys$/, "entries")} so far.`, null, null]
    : over(said) ? [changes(said), null, null] : [`Decided on ${said.decided.toLocaleString("en")} of ${many(said.users, "user")}.`, said.decided, Math.max(said.users, 1)];
  return h("p", {}, over(said) ? null : [h("progress", { "aria-label": "How far it is", value, max }), " "], text);
}

/** Of whom something is known in the counts, and of whom nothing is to be done. */
function changes(said) {
  const changed = kindsOf(said).reduce((sum, each) => sum + each.count, 0);
  const number = changed.toLocaleString("en");
  return `${number} ${changed === 1 ? "person" : "people"} would change; ${(said.users - changed).toLocaleString("en")} of those looked at need nothing.`;
}

const kindsOf = (said) => said.syncs.flatMap(({ sync, counts, words }) => Object.entries(counts).map(([kind, count]) => ({ sync, kind, count, text: words?.[kind] ?? kind })));

const textsOf = (said) => new Map(kindsOf(said).map(({ kind, text }) => [kind, text]));

/** A guard holds these, or lets them wait: in the kinds of the counts. */
const guarded = (kind) => kind.includes("Hold of ") || kind.endsWith("waiting for approval");
const loud = (kind) => guarded(kind) || /SoftDelete|Disable|^Refuse|^error/.test(kind);

function found(id, said) {
  const rows = kindsOf(said);
  if (!rows.length) return said.state === "done" ? h("div", {}, empty("Nothing is to be done for anybody who was looked at."), extent(said)) : null;
  if (!over(said)) {
    // Without links and buttons: this is read again in a moment, and would take the focus along.
    return h("ul", { "aria-label": "So far" }, rows.map(({ sync, text, count }) => h("li", { dir: "auto" }, `${count.toLocaleString("en")} × ${text}, in ${sync}`)));
  }
  const columns = [
    { label: "What would happen", value: (row) => row.text, cell: (row) => h("span", { dir: "auto" }, loud(row.kind) ? badge(row.text, "warn") : row.text), wide: true },
    { label: "Sync", value: (row) => row.sync },
    { label: "Users", value: (row) => row.count, cell: (row) => those(id, row, row.count.toLocaleString("en")), number: true },
  ];
  const waits = rows.filter(({ kind }) => guarded(kind));
  return h("div", {},
    waits.length > 0 && h("ul", { class: "needs", "aria-label": "What a guard would hold" }, waits.map((row) => h("li", {}, those(id, row, `${many(row.count, "user")} of ${row.sync}`), `: ${row.text}`))),
    table({ label: "What would happen", columns, rows, sorted: "Users", descending: true }), extent(said));
}

/** Whom it looked at, and whom not and why. An app of an earlier version does not say it. */
function extent({ syncs }) {
  const told = syncs.filter(({ extent }) => extent?.sentences.length);
  return h("section", { "aria-label": "Whom it looked at" }, h("h3", {}, "Whom it looked at"),
    told.map(({ sync, extent }) => [syncs.length > 1 && h("p", { dir: "auto" }, sync), h("ul", { class: "quiet" }, extent.sentences.map((each) => h("li", {}, each)))]));
}

function those(id, { sync, kind, count, text: what }, text) {
  const query = new URLSearchParams({ sync, change: kind });
  return h("a", { href: `#/plan/${path(id)}?${query}`, "aria-label": `${many(count, "user")} of ${sync}: ${what}` }, text);
}

function people(id, said, asked) {
  const rows = [];
  let after = "";
  const made = section("Whom it concerns", () => get(path("plan", id, "changes"), { ...asked, after }), ({ changes, more }) => {
    rows.push(...changes);
    after = more;
    return [filters(id, said, asked), planned(rows, textsOf(said)), more && button("Further users", made.again)];
  });
  return made;
}

function filters(id, said, asked) {
  const kinds = [...textsOf(said)].sort(([, a], [, b]) => a.localeCompare(b, "en"));
  const onchange = ({ currentTarget }) => {
    const given = [...new FormData(currentTarget)].filter(([, value]) => value);
    location.hash = `#/plan/${path(id)}?${new URLSearchParams(given)}`;
  };
  return h("form", { class: "filters", onchange, onsubmit: (event) => event.preventDefault() },
    select("sync", "Sync", [["", "every sync"], ...said.syncs.map(({ sync }) => [sync, sync])], asked.sync),
    select("change", "What would happen", [["", "everything"], ...kinds], asked.change));
}

function planned(rows, texts) {
  const what = (row) => texts.get(row.kind) ?? row.kind;
  const columns = [
    { label: "Whom", value: (row) => `${nameOf(row.sync, row.user)} ${row.user}`, cell: (row) => person(row.sync, row.user) },
    { label: "Sync", value: (row) => row.sync },
    { label: "What", value: what, cell: (row) => h("span", { dir: "auto" }, what(row)) },
    { label: "Why", value: (row) => row.why ?? row.reason, cell: why, wide: true },
  ];
  return table({ label: "Whom it concerns", columns, rows, none: "Nothing of this kind would happen to anybody." });
}

function why(row) {
  const change = row.postponed ?? row;
  const { attributes = [] } = change.held ?? change;
  const about = [
    change.detail,
    change.held && `${change.used} of at most ${change.limit} are used in ${span(change.window_s)}`,
    change.until && `${words(change.then)} at ${exact(change.until)}`,
    change.to && `to ${change.to}`,
  ].filter(Boolean);
  return h("div", {}, h("span", { dir: "auto" }, coded(row.why ?? row.reason)),
    about.length > 0 && h("ul", {}, about.map((text) => h("li", { dir: "auto" }, text))), row.hint && h("p", { class: "quiet" }, coded(row.hint)),
    attributes.length > 0 && h("details", {}, h("summary", {}, many(attributes.length, "attribute")), attributes.join(", ")));
}
