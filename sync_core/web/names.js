// The names of people, asked for while they are shown. They stay in the memory of this page and go with it.

import { path, post } from "./api.js";
import { h } from "./dom.js";
import { coded } from "./format.js";

const AT_ONCE = 100; // users of one call
const known = new Map(); // "SYNC/USER": a name, or "" for a user who has none
const waiting = new Map(); // the same: the elements that will have it
let caller = null; // object id of the person at this page
let syncs = []; // by one of them somebody is named who decided about none

export const OBJECT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function setCaller(said) {
  ({ id: caller, syncs } = said);
}

/** A link to the person, by name as soon as it is known, and by the beginning of the object id; `whole` shows all of it. */
export function person(sync, user, whole) {
  return h("a", { class: "person", href: `#/people/${path(sync, user)}` }, named(sync, user, whole));
}

/** A person who decided about `sync`: "you", by name if the sync has them too, or as the record has it. */
export function decider(sync, who) {
  if (who === caller) return "you";
  return h("span", { class: "person" }, OBJECT_ID.test(who) ? named(sync ?? syncs[0], who, false) : h("code", {}, who));
}

/** A text of the app with commands in it, in which `who` is shown as by `decider`. */
export const told = (sync, text, who) =>
  who && OBJECT_ID.test(who) ? text.split(who).flatMap((part, i) => [i > 0 && decider(sync, who), coded(part)]).flat().filter(Boolean) : coded(text);

function named(sync, user, whole) {
  const key = path(sync, user);
  const name = h("span", { class: "name", dir: "auto" }, known.get(key) ?? "");
  if (!known.has(key)) {
    if (!waiting.size) queueMicrotask(read);
    waiting.set(key, [...(waiting.get(key) ?? []), { sync, user, name }]);
  }
  return [name, h("code", { title: user }, whole ? user : `${user.slice(0, 8)}…`)];
}

/** For sorting and filtering: the name where it is known. */
export const nameOf = (sync, user) => known.get(path(sync, user)) ?? "";

async function read() {
  const asked = [...waiting];
  waiting.clear();
  for (let first = 0; first < asked.length; first += AT_ONCE) {
    const some = asked.slice(first, first + AT_ONCE);
    const users = some.map(([, [{ sync, user }]]) => ({ sync, user }));
    // Without names the page is the same with object ids. The next view asks again.
    const said = await post("names", { users }).catch(() => null);
    if (said === null) return;
    const found = new Map(said.names.map((each) => [path(each.sync, each.user), each.name]));
    for (const [key, elements] of some) {
      known.set(key, found.get(key) ?? "");
      for (const { name } of elements) name.textContent = known.get(key);
    }
  }
}
