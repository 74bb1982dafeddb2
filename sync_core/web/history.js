// History: what happened in a sync, or to everybody, by kind and time.

import { get } from "./api.js";
import { button, h, section, select } from "./dom.js";
import { events } from "./events.js";
import { words } from "./format.js";

const TIMES = [["1h", "an hour"], ["24h", "a day"], ["7d", "7 days"], ["30d", "30 days"], ["", "ever"]];
const KINDS = ["invited", "linked", "adopted", "updated", "disabled", "enabled", "restored", "soft_deleted", "lost",
  "unlinked", "redemption_reset", "leaving", "kept", "keep_ended", "held", "released", "refused", "parked", "would_invite", "would_adopt",
  "would_update", "would_disable", "would_soft_delete", "would_restore", "would_unlink", "paused", "resumed", "approved", "rejected", "resynced",
  "put_back", "discarded", "configured", "renamed", "moved", "removed"];

export function history(main, _parts, { query, syncs }) {
  const asked = { sync: query.get("sync") ?? "", kind: query.get("kind") ?? "", since: query.get("since") ?? "7d", user: query.get("user") ?? "" };
  if (asked.user && !query.has("since")) asked.since = "";
  main.append(filters(asked, syncs), found(asked));
}

/** The filters stand in the address of the page, so that it can be sent to somebody: there is no name among them. */
function filters(asked, syncs) {
  const onchange = ({ currentTarget }) => {
    const given = [...new FormData(currentTarget)].filter(([name, value]) => value || name === "since");
    location.hash = `#/history?${new URLSearchParams(given)}`;
  };
  return h("form", { class: "filters", onchange, onsubmit: (event) => event.preventDefault() },
    select("sync", "Sync", [["", "every sync"], ...syncs.map((name) => [name, name])], asked.sync),
    select("kind", "Kind", [["", "every kind"], ...KINDS.map((kind) => [kind, words(kind)])], asked.kind),
    select("since", "Within", TIMES, asked.since),
    asked.user && h("p", {}, h("input", { type: "hidden", name: "user", value: asked.user }), "Of ", h("code", {}, asked.user), " ",
      h("a", { href: "#/history" }, "of everybody")));
}

function found(asked) {
  const rows = [];
  let older = "";
  const made = section("Events", () => get("activity", { ...asked, after: older }), ({ events: page, more }) => {
    rows.push(...page);
    older = more ?? "";
    const none = "Nothing of this kind happened. Take a longer time, or every kind.";
    return [events("Events", rows, none), more && button("Older events", made.again)];
  });
  return made;
}
