// The pair of a person: whose target user it is, what is asked of it, and what somebody else changed there.

import { path, post } from "./api.js";
import { confirm } from "./confirm.js";
import { button, h } from "./dom.js";
import { badge, coded, many, when } from "./format.js";
import { person } from "./names.js";

const STATES = { linked: ["linked", "good"], deleted: ["deleted by the sync", "quiet"], lost: ["deleted by somebody else", "warn"] };
const COMES = {
  listed: ["quiet", "stays until the source changes"],
  waits: ["warn", "is written again as soon as the sync may"],
  fought: ["bad", "is not written for a day: another value came back each time"],
};
const REDEEM = "reset the redemption"; // the app's words; whatever else is asked of a pair ends it

/** What differs, in a word: a user who may not sign in has been blocked. */
export const attributeOf = ({ name }) => (name === "accountEnabled" ? "blocked" : name);

export const earliest = ({ attributes }) => attributes.map((each) => each.since).sort()[0];

/** What becomes of the difference. */
export function outcome({ state, repairs }) {
  const [kind, words] = COMES[state] ?? ["quiet", ""];
  const often = repairs > 0 && `; written again ${many(repairs, "time")} in a day`;
  return [badge(state, kind), " ", words, often].filter(Boolean);
}

/** `asked` is called when something was asked of the pair. A version before does not tell of pairs. */
export function pair(sync, user, { pair: found, drift }, acts, asked) {
  if (found === undefined) return null;
  const linked = found?.state === "linked";
  const may = acts && linked && [null, REDEEM].includes(found.asked);
  return h("section", { "aria-label": "Pair" }, h("h3", {}, "Pair"), found ? stored(found) : h("p", {}, "There is no pair: no target user is this person's."),
    drift && differs(drift),
    may && h("p", { class: "actions" }, found.asked === null && button("Redeem anew …", () => redeem(sync, user, asked)), button("Unlink …", () => unlink(sync, user, asked))),
    acts && byCommand(sync, user, found?.state));
}

function stored({ target, target_id: id, state, since, asked }) {
  return [
    h("p", {}, "Target user ", h("code", {}, id), ` in ${target}, this person's since `, since ? when(since) : "a time that is not recorded", ": ", badge(...(STATES[state] ?? [state, "quiet"]))),
    asked && h("p", {}, badge("asked for", "warn"), ` ${asked}. It is not done yet: the app does it with a look, and a paused sync when it goes on.`),
  ];
}

function differs(drift) {
  const items = drift.attributes.map((each) => h("li", {}, attributeOf(each), " since ", when(each.since)));
  return [h("p", {}, "Somebody else edited or blocked it in the target: ", outcome(drift), "."), h("ul", { "aria-label": "Differs in the target" }, items)];
}

/** What needs the object id of another user stays with the commands. */
function byCommand(sync, user, state) {
  const hint = (words, command) => h("p", { class: "quiet" }, words, ": ", h("code", {}, command), ".");
  return [
    state !== "linked" && hint("To pair the person with a guest", `xtsync link ${user} --sync ${sync} --target ID`),
    (state === "linked" || state === "deleted") && hint("To give the guest to the person's other account", `xtsync move ${user} --sync ${sync} --to USER`),
  ];
}

async function redeem(sync, user, asked) {
  const done = await confirm({
    title: "Have the invitation redeemed anew?",
    about: h("div", {}, h("p", {}, person(sync, user, true)),
      h("p", {}, "This helps after a new account, or another way to sign in. The guest accepts the invitation once more, with the address of now, and keeps object id, groups and licences. No mail is sent, and the request cannot be taken back."),
      h("p", {}, "Graph refuses it for a guest with an administrator's role: there, do it in the Entra admin center.")),
    yes: "Redeem anew",
    act: async () => {
      await post(path("links", sync, user, "redeem"));
      return "Asked for.";
    },
  });
  if (done) asked();
}

async function unlink(sync, user, asked) {
  const done = await confirm({
    title: "End this pair?",
    about: h("div", {}, h("p", {}, person(sync, user, true)),
      h("p", {}, "The target user stays as it is, with its access, and without the ownership marker. No sync adopts it again by itself, and nobody is invited in its place as long as it has the address."),
      h("p", {}, "The request cannot be taken back. ", coded("`xtsync link` makes a pair again."))),
    asked: "Why? The reason is on record.",
    yes: "Unlink",
    danger: true,
    act: async (reason) => {
      await post(path("links", sync, user, "end"), { reason });
      return "Asked for.";
    },
  });
  if (done) asked();
}
