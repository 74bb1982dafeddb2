// People: find one by address or object id; where the person stands and why; the pair; what happened; look again.

import { ApiError, get, path, paused, post, turns } from "./api.js";
import { confirm } from "./confirm.js";
import { button, empty, failure, h, paged, say, section } from "./dom.js";
import { events } from "./events.js";
import { now, when } from "./format.js";
import { OBJECT_ID, person, told } from "./names.js";
import { pair } from "./pair.js";

export function people(main, [sync, user], context) {
  main.append(finder(main));
  if (sync && user) main.append(...one(sync, user, context));
}

/** The address goes in a body and never in a path: addresses of pages and of requests end in logs. */
function finder(main) {
  let newest = 0;
  const found = h("div", { "aria-live": "polite" });
  const field = h("input", { id: "whom", type: "text", required: true, autocomplete: "off", spellcheck: "false", placeholder: "ada@contoso.example" });
  const onsubmit = async (event) => {
    event.preventDefault();
    const text = addressOf(field.value);
    const mine = ++newest;
    const shown = (...nodes) => mine === newest && found.isConnected && (found.replaceChildren(...nodes), true);
    leaveThePerson(main);
    shown(h("p", { class: "loading" }, "Looking …"));
    try {
      if (!text.includes("@") && !OBJECT_ID.test(text)) throw new ApiError(400, "Type the whole address, like ada@contoso.example.", "");
      const { users } = await post("find", { user: text });
      const items = users.map((each) => h("li", {}, person(each.sync, each.user, true), ` in ${each.sync}`));
      if (shown(h("ul", { class: "found" }, items)) && users.length === 1) location.hash = `#/people/${path(users[0].sync, users[0].user)}`;
    } catch (error) {
      shown(...missed(error, text));
    }
  };
  return h("section", { "aria-label": "Find a person" }, h("h2", {}, "Find a person"),
    h("form", { class: "find", onsubmit }, h("label", { for: "whom" }, "Address in the source tenant, or object id there"), field,
      h("button", { type: "submit", class: "primary" }, "Find")), found);
}

/** Also of what mail programs copy: `Ada <ada@contoso.example>`. */
const addressOf = (text) => (/[<‹]([^<>‹›]+)[>›]\s*$/.exec(text)?.[1] ?? text).trim();

/** Below a search that finds nobody, the person of the last one would pass for the one who was looked for. */
function leaveThePerson(main) {
  while (main.lastElementChild.previousElementSibling?.matches("section")) main.lastElementChild.remove();
  if (location.hash !== "#/people") history.pushState(null, "", "#/people");
}

/** Nobody has an address any more who is gone for good. The record still knows the object id. */
function missed(error, text) {
  if (error.status !== 404) return [failure(error)];
  const more = OBJECT_ID.test(text)
    ? [h("a", { href: `#/history?user=${text.toLowerCase()}` }, "What the record has of this object id")]
    : ["Somebody who was deleted may stand in ", h("a", { href: "#/holds" }, "Holds"), " or in the ", h("a", { href: "#/history" }, "History"), "."];
  return [failure(error), h("p", {}, more)];
}

function one(sync, user, { acts }) {
  const stands = section("Where the person stands", () => get(path("why", sync, user)), (said) => [
    h("p", {}, person(sync, user, true), ` in ${sync}`),
    h("p", { class: "quiet" }, "Last looked at by the app: ", when(said.looked_at)),
    h("ul", { class: "sentences" }, said.sentences.map((sentence) => h("li", { dir: "auto" }, told(sync, sentence, said.keep?.by)))),
    said.outcome.result === "held" && h("p", {}, h("a", { href: `#/holds?${new URLSearchParams({ sync, user })}` }, "See what is held")),
    adoption(sync, user, said),
    acts && h("p", { class: "actions" }, button("Look again now", () => followed(() => post(path("sync", sync, user)), (then) => then.looked_at && then.looked_at !== said.looked_at), { class: "primary" }),
      h("span", { class: "quiet" }, "The app reads the person afresh and does what is to be done.")),
    acts && keepable(said) && keeping(sync, user, said.keep, again),
    pair(sync, user, said, acts, () => followed(again, (then) => !then.pair?.asked)),
  ]);
  const happened = record(sync, user);
  const again = () => [stands, happened].forEach((each) => each.again());
  const followed = (ask, over) => outcomeOf(sync, user, ask, over, stands, again);
  return [stands, happened];
}

/** Whatever leaving would take from this person waits until a day. */
function keeping(sync, user, keep, again) {
  const begin = button(keep ? "Keep until another day …" : "Keep until …", () => keepUntil(sync, user, again));
  const end = keep && button("Keep no longer …", () => keepNoLonger(sync, user, again));
  return h("p", { class: "actions" }, begin, end,
    h("span", { class: "quiet" }, "Until then leaving takes nothing from this person, whatever the policy says."));
}

/** Leaving takes something from those alone who have a target user. Of a look that failed it is not known. */
const keepable = ({ keep, steps }) => keep || !steps.length || steps.at(-1).link.state === "linked";

const day = (ahead) => new Date(now() + ahead * 86400000).toISOString().slice(0, 10);

async function keepUntil(sync, user, again) {
  const until = h("input", { id: "until", type: "date", required: true, min: day(1), max: day(365) });
  const done = await confirm({
    title: `Keep this person in ${sync}?`,
    about: h("div", {}, h("p", {}, person(sync, user, true)),
      h("p", {}, "No deletion and no disabling that leaving causes is made before that day. A request that is on its way may still arrive."),
      h("p", {}, h("label", { for: "until" }, "Until the beginning of this day, in UTC"), until)),
    asked: "Why? The reason is shown with the person.",
    yes: "Keep",
    act: async (reason) => {
      const { kept } = await post(path("keep", sync, user), { until: until.value, reason });
      return `Kept until ${kept[0].until.slice(0, 10)}. The app looks at the person now.`;
    },
  });
  if (done) again();
}

async function keepNoLonger(sync, user, again) {
  const done = await confirm({
    title: `Keep this person in ${sync} no longer?`,
    about: h("div", {}, h("p", {}, person(sync, user, true)), h("p", {}, "What leaving has to take by now is taken at the next look, which follows at once.")),
    yes: "Keep no longer",
    danger: true,
    act: async () => {
      await post(path("keep", sync, user, "end"));
      return "Kept no longer. The app looks at the person now.";
    },
  });
  if (done) again();
}

function adoption(sync, user, said) {
  const others = said.steps.at(-1)?.candidates ?? [];
  if (!others.length) return null;
  return h("p", {}, h("a", { href: `#/adoptions/${path(sync, user)}` }, "Who in the target may be this person"));
}

/** Of the look that `ask` asks for. It is over when what `why` says then is, or when the pauses are. */
async function outcomeOf(sync, user, ask, over, shown, again) {
  try {
    await ask();
    if ((await paused([sync])).get(sync) === "paused") {
      return say("Asked for. The sync is paused: the app looks when somebody lets it go on. Health says who paused it and why.");
    }
    say("Asked for. The app looks within seconds; this page reads again then.");
    for await (const _ of turns(shown)) {
      const then = await get(path("why", sync, user));
      if (!shown.isConnected) return;
      if (!over(then)) continue;
      again();
      const [newest] = then.events.filter((each) => !(Date.parse(each.at) < Date.parse(then.looked_at)));
      return say(`The app looked: ${newest ? newest.text : "nothing to write"}.`);
    }
    say("Nothing is known yet of what came of it. Read this page again later; Health says whether the sync is paused.");
  } catch (error) {
    say(`${error.message} ${error.hint}`);
  }
}

function record(sync, user) {
  return paged("What happened", "Older events", (after) => get("activity", { sync, user, after }), (pages) => {
    const rows = pages.flatMap((page) => page.events);
    return rows.length ? events("What happened", rows, "", true) : empty("The record has nothing of this person in this sync.");
  });
}
