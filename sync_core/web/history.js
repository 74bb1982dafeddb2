// History: what happened in a sync, or to everybody, by kind and time.

import { get } from "./api.js";
import { filters, h, paged, select, selectSync } from "./dom.js";
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
  const whom = asked.user && h("p", {}, h("input", { type: "hidden", name: "user", value: asked.user }), "Of ", h("code", {}, asked.user), " ",
    h("a", { href: "#/history" }, "of everybody"));
  main.append(filters("history", selectSync(syncs, asked.sync), select("kind", "Kind", [["", "every kind"], ...KINDS.map((kind) => [kind, words(kind)])], asked.kind),
    select("since", "Within", TIMES, asked.since), whom), found(asked));
}

function found(asked) {
  return paged("Events", "Older events", (after) => get("activity", { ...asked, after }), (pages) =>
    events("Events", pages.flatMap((page) => page.events), "Nothing of this kind happened. Take a longer time, or every kind."));
}
