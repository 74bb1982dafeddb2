// Newcomers: people who wait for the creation guard. An approval lets in as many as the list shows.

import { ApiError, get, post } from "./api.js";
import { gauge } from "./chart.js";
import { confirm } from "./confirm.js";
import { button, empty, h, section } from "./dom.js";
import { many, span, when } from "./format.js";
import { decider } from "./names.js";
import { table } from "./table.js";

export function newcomers(main, _parts, { acts }) {
  const made = section("Newcomers by sync", () => get("creations"), ({ syncs }) => {
    const waiting = syncs.reduce((sum, each) => sum + each.waiting, 0);
    const about = `${many(waiting, "newcomer")} waiting. They come in by themselves as the window moves on, or at once when an Operator approves. First ask why so many came: a filter that lets in too many looks the same from here.`;
    return [waiting ? h("p", {}, about) : empty("No newcomer waits. Whom the scopes let in is invited at the next look."), listed(syncs, acts, made.again)];
  });
  main.append(made);
}

function listed(rows, acts, again) {
  const columns = [
    { label: "Sync", value: (row) => row.sync },
    { label: "Waiting", value: (row) => row.waiting, cell: whom, number: true },
    { label: "Since", value: (row) => row.since, cell: (row) => (row.since ? when(row.since) : "nobody waits") },
    { label: "Invited", value: (row) => row.used, cell: invited },
    { label: "On their way", value: (row) => row.approved, number: true },
    { label: "Last approval", value: (row) => row.approved_at, cell: approval },
    { label: "Code", value: (row) => row.code, cell: (row) => (row.code ? h("code", {}, row.code) : "none") },
  ];
  if (acts) columns.push({ label: "Decide", value: (row) => row.waiting, cell: (row) => decision(row, again) });
  return table({ label: "Newcomers by sync", columns, rows, none: "No sync: sync.yaml names none.", sorted: "Waiting", descending: true });
}

function whom({ sync, waiting }) {
  const query = new URLSearchParams({ sync, kind: "would_invite", since: "" });
  const name = `${many(waiting, "newcomer")} of ${sync} in the history`;
  return waiting ? h("a", { href: `#/history?${query}`, "aria-label": name }, waiting.toLocaleString("en")) : "0";
}

function invited({ used, limit, window_s }) {
  return window_s === null ? "no ceiling" : h("span", {}, gauge(used, limit), ` in ${span(window_s)}`);
}

function approval({ sync, approved_by, approved_at }) {
  return approved_by ? h("span", {}, when(approved_at), " by ", decider(sync, approved_by)) : "none";
}

function decision(row, again) {
  if (!row.code) return "nothing";
  const name = `Approve ${row.waiting.toLocaleString("en")} …`;
  return button(name, () => approve(row, again), { class: "primary", "aria-label": `${name} of ${row.sync}` });
}

async function approve({ sync, waiting, code }, again) {
  let changed = false;
  const done = await confirm({
    title: `Let in ${many(waiting, "newcomer")} of ${sync}?`,
    about: h("div", {}, h("p", {}, "Those come in who have waited the longest. If more wait by now, the others wait on. Each is read once more before the invitation."),
      h("p", {}, "This list has the code ", h("code", {}, code), ". It is used once. A full round of the source starts.")),
    yes: `Approve ${waiting.toLocaleString("en")}`,
    act: async () => {
      try {
        return answer(await post("creations/approve", { code }));
      } catch (error) {
        changed = error.status === 409;
        throw changed ? new ApiError(409, error.message, "Somebody else changed it. Close this: the list is read again.") : error;
      }
    },
  });
  if (done || changed) again();
}

function answer({ sync, approved, waiting, error }) {
  const more = waiting ? ` ${many(waiting, "newcomer")} came later and wait on.` : "";
  const later = error ? " The round could not start now; the next poll starts it." : "";
  return `${many(approved, "newcomer")} of ${sync} are let in.${more}${later}`;
}
