// Target: whom somebody else edited or blocked there, and newcomers who cannot be used. Nothing is done here: the links lead to the person.

import { get } from "./api.js";
import { empty, filters, h, paged, select, selectSync } from "./dom.js";
import { badge, coded, many, when } from "./format.js";
import { nameOf, person } from "./names.js";
import { attributeOf, earliest, outcome } from "./pair.js";
import { table } from "./table.js";

const TIMES = [["24h", "a day"], ["7d", "7 days"], ["30d", "30 days"]];
const AT_ONCE = 1000; // newcomers of one page: the target is asked for fifteen of them at a time

const WHOM = { label: "Whom", value: (row) => `${nameOf(row.sync, row.source_id)} ${row.source_id}`, cell: (row) => person(row.sync, row.source_id) };
const SYNC = { label: "Sync", value: (row) => row.sync };

export function target(main, _parts, { query, syncs }) {
  const sync = query.get("sync") ?? "";
  const since = query.get("since") ?? "7d";
  main.append(filters("target", selectSync(syncs, sync), select("since", "Newcomers within", TIMES, since)), drifted(sync), newcomers(sync, since));
}

function drifted(sync) {
  return paged("Edited or blocked by somebody else", "The next ones", (after) => get("drift", { sync, after }), (pages) => {
    const rows = pages.flatMap((page) => page.users);
    if (!rows.length) return empty("Nobody is known to be otherwise in the target than the sync left them.");
    const columns = [
      WHOM,
      SYNC,
      { label: "What", value: (row) => row.attributes.map(attributeOf).join(", "), wide: true },
      { label: "Since", value: earliest, cell: (row) => when(earliest(row)) },
      { label: "What comes of it", value: (row) => row.state, cell: (row) => h("span", {}, outcome(row)), wide: true },
    ];
    return [h("p", {}, coded("As the last looks found them. `drift` in sync.yaml says what comes of it; the values stand in the target.")),
      table({ label: "Edited or blocked", columns, rows, sorted: "Since", descending: true })];
  });
}

function newcomers(sync, since) {
  const read = (after) => get("verify", { sync, since, limit: AT_ONCE, after });
  return paged("Newcomers who cannot be used", "Look at the next newcomers", read, (pages) => {
    const users = pages.flatMap((page) => page.users);
    const causes = new Map(pages.flatMap((page) => page.causes).map((each) => [each.cause, each]));
    const [looked, usable] = ["looked_at", "usable"].map((name) => pages.reduce((sum, page) => sum + page[name], 0));
    if (!looked) return empty("No newcomer of this time can be looked at. The target shows one everywhere after 15 minutes.");
    const every = usable === looked;
    return [h("p", { class: every && "calm" }, `${many(looked, "newcomer")} looked at in the target now: ${every ? "each" : usable ? usable.toLocaleString("en") : "none"} can be used.`),
      [...causes.values()].map((each) => cause(each, users.filter((user) => user.cause === each.cause)))];
  });
}

function cause({ cause: name, words, remedy }, rows) {
  const columns = [WHOM, SYNC, { label: "Target user", value: (row) => row.target_id, cell: (row) => h("code", {}, row.target_id) },
    { label: "Came", value: (row) => row.since, cell: (row) => when(row.since) }];
  return h("section", { class: "cause", "aria-label": name }, h("h3", {}, badge(name, "warn"), " ", words, h("span", { class: "quiet" }, ` — ${many(rows.length, "user")}`)),
    h("p", {}, "What helps: ", coded(remedy), "."),
    table({ label: name, columns, rows, sorted: "Came", descending: true }));
}
