// The page: one view at a time, named by the part of the address after #. No name or address of a person is ever in it.

import { adoptions } from "./adoptions.js";
import { get } from "./api.js";
import { failure, h, say } from "./dom.js";
import { setNow } from "./format.js";
import { health } from "./health.js";
import { history } from "./history.js";
import { holds } from "./holds.js";
import { leavers } from "./leavers.js";
import { newcomers } from "./newcomers.js";
import { parked } from "./parked.js";
import { people } from "./people.js";
import { plan } from "./plan.js";

const VIEWS = [
  { name: "", title: "Health", show: health },
  { name: "people", title: "People", show: people },
  { name: "holds", title: "Holds", show: holds, count: (said) => waiting(said.holds) },
  { name: "newcomers", title: "Newcomers", show: newcomers, count: (said) => waiting(said.creations) },
  { name: "adoptions", title: "Adoptions", show: adoptions },
  { name: "leavers", title: "Leavers", show: leavers, count: (said) => (said.leaving ?? []).reduce((sum, each) => sum + each.users, 0) },
  { name: "parked", title: "Set aside", show: parked, count: (said) => said.parked.length },
  { name: "history", title: "History", show: history },
  { name: "plan", title: "Plan", show: plan },
];

const waiting = (syncs) => syncs.reduce((sum, each) => sum + each.waiting, 0);

const main = document.getElementById("main");
const links = new Map();
let leave = () => {};
let context = null;

/** What waits, beside the names of the views. */
function counted(said) {
  for (const { name, count } of VIEWS) {
    const number = count?.(said) ?? 0;
    links.get(name).querySelector(".count").textContent = number ? ` ${number}` : "";
  }
}

function navigation() {
  const items = VIEWS.map(({ name, title }) => {
    const link = h("a", { href: `#/${name}` }, title, h("span", { class: "count" }));
    links.set(name, link);
    return h("li", {}, link);
  });
  document.getElementById("views").replaceChildren(h("ul", {}, items));
}

/** Without its mark. `#main` is Health: the link that skips the navigation leads there before this script runs. */
const asked = () => location.hash.replace(/^#(main$|\/)?/, "");

function route() {
  const [where, query] = asked().split("?");
  const [name, ...parts] = where.split("/").map(decodeURIComponent);
  return { view: VIEWS.find((each) => each.name === name), parts, query: new URLSearchParams(query) };
}

function show(moved) {
  const { view, parts, query } = route();
  leave();
  main.replaceChildren();
  say("");
  for (const [name, link] of links) {
    if (name === view?.name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${view?.title ?? "Not found"} — xtsync`;
  main.append(h("h1", {}, view?.title ?? "Not found"));
  if (!view) main.append(failure({ message: "There is no such view.", hint: "Choose one above." }));
  leave = view?.show(main, parts, { ...context, query }) ?? (() => {});
  // The reader of a screen begins where the new view begins.
  if (moved) main.focus();
}

/** Here and not by the address, which names the view. */
function skip(event) {
  event.preventDefault();
  main.focus();
}

async function start() {
  navigation();
  document.querySelector(".skip").addEventListener("click", skip);
  try {
    const caller = await get("me");
    setNow(caller.at);
    const acts = caller.roles.includes("Operator");
    context = { acts, counted, syncs: caller.syncs };
    document.getElementById("caller").replaceChildren(h("strong", {}, acts ? "Operator" : "Reader"), " ",
      h("a", { href: "/.auth/logout" }, "Sign out"));
    addEventListener("hashchange", () => show(true));
    show(false);
    // The first view reads this by itself. Without it the other ones lack only the counts beside their names.
    if (asked()) get("status").then(counted, () => {});
  } catch (error) {
    main.replaceChildren(failure(error, () => location.reload()));
  }
}

start();
