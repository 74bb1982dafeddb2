// Events of the record as a table: what happened, to whom, why, and what the target's audit log has of it.

import { badge, exact, words } from "./format.js";
import { h } from "./dom.js";
import { decider, nameOf, person, told } from "./names.js";
import { table } from "./table.js";

const KINDS = {
  good: ["invited", "linked", "adopted", "enabled", "restored", "released", "resumed", "kept"],
  warn: ["held", "parked", "refused", "paused", "lost", "leaving", "keep_ended"],
  bad: ["disabled", "soft_deleted", "unlinked"],
};

export function kindOf(kind) {
  const found = Object.entries(KINDS).find(([, kinds]) => kinds.includes(kind));
  return found ? found[0] : "quiet";
}

/** `one`: all are of one person in one sync, so that no row has to name them. */
export function events(label, rows, none, one) {
  const whom = {
    label: "Whom",
    value: (row) => (row.user ? `${nameOf(row.sync, row.user)} ${row.user}` : ""),
    cell: (row) => (row.user ? person(row.sync, row.user) : h("span", { class: "quiet" }, "the sync as a whole")),
  };
  const columns = [
    { label: "When", value: (row) => row.at, cell: (row) => h("time", { datetime: row.at }, exact(row.at)) },
    { label: "Kind", value: (row) => words(row.kind), cell: (row) => badge(words(row.kind), kindOf(row.kind)) },
    ...(one ? [] : [{ label: "Sync", value: (row) => row.sync }, whom]),
    { label: "What happened", value: (row) => row.text, cell: details, wide: true },
  ];
  return table({ label, columns, rows, none, sorted: "When", descending: true });
}

function details(row) {
  const facts = [
    row.decision.scope && `scope: ${row.decision.scope}${row.decision.scope_reason ? ` (${row.decision.scope_reason})` : ""}`,
    row.attributes.length && `attributes: ${row.attributes.join(", ")}`,
    ...(row.values ?? []).map(written),
    row.refused.length && `Graph refused: ${row.refused.join(", ")}`,
    row.target_id && `target user: ${row.target_id}`,
    row.operator && ["by: ", decider(row.sync, row.operator)],
    row.graph_request_ids.length && `request ids: ${row.graph_request_ids.join(", ")}`,
    row.attempt > 0 && `attempt: ${row.attempt + 1}`,
  ].filter(Boolean);
  const text = h("span", { dir: "auto" }, told(row.sync, row.text, row.operator));
  if (!facts.length) return text;
  const list = h("ul", {}, facts.map((fact) => h("li", {}, fact)));
  return h("details", {}, h("summary", {}, text), list);
}

/** One value that was written, of an attribute that `record_values` names. */
function written({ attribute, value, before, before_known: known, cut }) {
  const quoted = (text) => (text === null ? "nothing" : JSON.stringify(text));
  if (cut && value === null) return `${attribute}: no room for the value`;
  return `${attribute}: ${known ? `${quoted(before)} \u2192 ` : ""}${quoted(value)}${cut ? " (cut)" : ""}`;
}
