// The page: one view at a time, named by the part of the address after #. No name or address of a person is ever in it.

import { adoptions } from "./adoptions.js";
import { get } from "./api.js";
import { failure, h, say } from "./dom.js";
import { setNow } from "./format.js";
import { health } from "./health.js";
import { history } from "./history.js";
import { holds } from "./holds.js";
import { leavers } from "./leavers.js";
import { setCaller } from "./names.js";
import { newcomers } from "./newcomers.js";
import { parked } from "./parked.js";
import { people } from "./people.js";
import { plan } from "./plan.js";
import { target } from "./target.js";

const VIEWS = [
  { name: "", title: "Health", show: health },
  { name: "people", title: "People", show: people },
  { name: "holds", title: "Holds", show: holds, count: (said) => waiting(said.holds) },
  { name: "newcomers", title: "Newcomers", show: newcomers, count: (said) => waiting(said.creations) },
  { name: "adoptions", title: "Adoptions", show: adoptions, count: (said) => said.adoptions },
  { name: "leavers", title: "Leavers", show: leavers, count: (said) => (said.leaving ?? []).reduce((sum, each) => sum + each.users, 0) },
  { name: "parked", title: "Set aside", show: parked, count: (said) => said.parked.length },
  { name: "target", title: "Target", show: target },
  { name: "history", title: "History", show: history },
  { name: "plan", title: "Plan", show: plan },
];

const waiting = (syncs) => syncs.reduce((sum, each) => sum + each.waiting, 0);

const main = document.getElementById("main");
const bar = document.getElementById("paused");
const links = new Map();
let leave = () => {};
let context = null;

/** What waits, beside the names of the views; above every view, what a person has paused. */
function counted(said) {
  const paused = said.syncs.filter((each) => each.control !== "running").map((each) => `${each.name}: ${each.control}`);
  bar.hidden = !paused.length;
  bar.replaceChildren(paused.join("; "), ". ", h("a", { href: "#/" }, "See Health"));
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
  // Health reads this by itself. Without it the other views lack only the counts beside their names, and the bar.
  if (view?.name !== "") get("status").then(counted, () => {});
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
    setCaller(caller);
    const acts = caller.roles.includes("Operator");
    context = { acts, counted, syncs: caller.syncs };
    document.getElementById("caller").replaceChildren(h("strong", {}, acts ? "Operator" : "Reader"), " ",
      h("a", { href: "/.auth/logout" }, "Sign out"));
    addEventListener("hashchange", () => show(true));
    show(false);
  } catch (error) {
    main.replaceChildren(failure(error, () => location.reload()));
  }
}

start();
