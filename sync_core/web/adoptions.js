// Adoptions: users who wait for a person to say that a user of the target is theirs.

import { get, path, post } from "./api.js";
import { confirm } from "./confirm.js";
import { button, empty, h, section } from "./dom.js";
import { badge, when } from "./format.js";
import { nameOf, person } from "./names.js";
import { table } from "./table.js";

export function adoptions(main, [sync, user], { acts }) {
  if (sync && user) main.append(one(sync, user, acts));
  else main.append(waiting());
}

function waiting() {
  return section("Waiting for a word", () => get("adoptions"), (said) => {
    const columns = [
      { label: "Whom", value: (row) => `${nameOf(row.sync, row.source_id)} ${row.source_id}`, cell: (row) => person(row.sync, row.source_id) },
      { label: "Sync", value: (row) => row.sync },
      { label: "Why", value: (row) => row.text || row.reason, wide: true },
      { label: "Next look", value: (row) => row.next_try_at, cell: (row) => when(row.next_try_at) },
      { label: "Decide", value: () => "", cell: (row) => h("a", { href: `#/adoptions/${path(row.sync, row.source_id)}` }, "Who may be meant") },
    ];
    const none = "Nobody waits for an adoption: no guest of a target is in anybody's way.";
    return table({ label: "Waiting for a word", columns, rows: said.waiting, none, sorted: "Next look" });
  });
}

function one(sync, user, acts) {
  const made = section("Who may be meant", () => get(path("adoptions", sync, user)), (said) => [
    h("p", {}, person(sync, user, true), ` in ${sync}`),
    h("p", { dir: "auto" }, "By itself the next look does this: ", said.decision, "."),
    said.choices.length
      ? h("ul", { class: "cards" }, said.choices.map((choice) => candidate(sync, user, choice, acts, made.again)))
      : empty("No user of the target may be meant now. The next look decides by itself."),
  ]);
  return made;
}

function candidate(sync, user, choice, acts, again) {
  return h("li", { class: "card" },
    h("h3", { dir: "auto" }, choice.name || "without a name"),
    h("p", { dir: "auto" }, choice.address || "without an address"),
    h("p", {}, h("code", {}, choice.target_id)),
    h("p", {}, badge(choice.external ? "B2B user" : "internal user", choice.external ? "quiet" : "bad"), " ",
      badge(choice.enabled ? "enabled" : "blocked", choice.enabled ? "quiet" : "warn"), " made ", when(choice.created_at)),
    choice.linked_to && h("p", {}, "Belongs to ", h("code", {}, choice.linked_to)),
    choice.refused && h("p", { class: "failure" }, `Cannot be adopted: ${choice.refused}.`),
    acts && !choice.refused && h("p", { class: "actions" }, button("Adopt …", () => adopt(sync, user, choice, again), { class: "primary" })));
}

async function adopt(sync, user, choice, again) {
  const done = await confirm({
    title: "Adopt exactly this user?",
    about: h("div", {}, h("p", { dir: "auto" }, `${choice.name} <${choice.address}>`), h("p", {}, h("code", {}, choice.target_id)),
      h("p", {}, "From now on it is updated, disabled and deleted with ", person(sync, user, true), ". The next look adopts it, and nobody else.")),
    yes: "Adopt",
    act: async () => {
      await post(path("adoptions", sync, user), { target_id: choice.target_id });
      return "Approved. The app looks within seconds.";
    },
  });
  if (done) again();
}
