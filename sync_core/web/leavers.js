// Leavers: the users between two stages of leaving, in the order of time, and those whom a person keeps.

import { get } from "./api.js";
import { empty, h, paged } from "./dom.js";
import { when, words } from "./format.js";
import { decider, nameOf, person } from "./names.js";
import { table } from "./table.js";

export function leavers(main) {
  main.append(paged("Who leaves, and when", "Later ones", (after) => get("due", { after }), (pages) => {
    const rows = pages.flatMap((page) => page.due);
    if (!rows.length) return empty("Nobody is between two stages of leaving. Without a list in sync.yaml there is one stage.");
    return [h("p", {}, "When the time comes, each is read once more, and the deletion guard counts. A user who returns is enabled."), listed(rows)];
  }));
}

function listed(rows) {
  const columns = [
    { label: "Whom", value: (row) => `${nameOf(row.sync, row.source_id)} ${row.source_id}`, cell: (row) => person(row.sync, row.source_id) },
    { label: "Sync", value: (row) => row.sync },
    { label: "Stage", value: (row) => words(row.stage) },
    { label: "Since", value: (row) => row.since, cell: (row) => when(row.since) },
    { label: "Then", value: (row) => words(row.then) },
    { label: "Comes", value: (row) => row.due_at, cell: (row) => when(row.due_at) },
    { label: "Kept by", value: (row) => row.keep?.reason ?? "", cell: kept, wide: true },
  ];
  return table({ label: "Leavers", columns, rows, sorted: "Comes" });
}

function kept({ sync, keep }) {
  return keep ? h("span", {}, decider(sync, keep.by), ": ", h("span", { dir: "auto" }, keep.reason)) : "nobody";
}
