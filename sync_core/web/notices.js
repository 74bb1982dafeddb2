// Notices: what receivers were told of that still stands. Without a receiver there is no such section.

import { get } from "./api.js";
import { empty, h, section } from "./dom.js";
import { badge, when } from "./format.js";

export function notices() {
  const made = section("Notices", read, ({ receivers, standing }) => {
    made.hidden = !receivers.length;
    return listed(standing);
  });
  made.hidden = true; // until it is known that there is a receiver, or that this cannot be known
  async function read() {
    try {
      return await get("notices");
    } catch (error) {
      made.hidden = false;
      throw error;
    }
  }
  return made;
}

function listed(standing) {
  if (!standing.length) return empty("Nothing stands in the way.");
  const newest = standing.toSorted((a, b) => b.since.localeCompare(a.since));
  return h("ul", { class: "notices", "aria-label": "Notices that stand" }, newest.map(item));
}

function item({ event, about, since, receiver, told }) {
  const heard = told ? "told" : badge("not told yet", "warn");
  return h("li", {}, `${about}: ${event.replaceAll("-", " ")} since `, when(since), ", ", heard, " to ", h("code", {}, receiver));
}
