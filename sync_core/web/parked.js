// Set aside: the users whose change cannot be made now, by cause. Each is tried again by itself, at a falling rate.

import { get, path, post } from "./api.js";
import { confirm } from "./confirm.js";
import { button, empty, h, section } from "./dom.js";
import { coded, many, setNow, when } from "./format.js";
import { nameOf, person } from "./names.js";
import { table } from "./table.js";

const AT_ONCE = 1000; // users of one call

export function parked(main, _parts, { acts, counted }) {
  const made = section("Set aside, by cause", () => get("status"), (said) => {
    setNow(said.at);
    counted(said);
    if (!said.parked.length) return empty("Nobody is set aside: each change that was decided could be made.");
    const causes = Map.groupBy(said.parked, (each) => each.reason);
    const largest = [...causes].sort(([, a], [, b]) => b.length - a.length);
    return largest.map(([reason, users]) => cause(reason, users, acts, made.again));
  });
  main.append(made);
}

function cause(reason, users, acts, again) {
  const columns = [
    { label: "Whom", value: (row) => `${nameOf(row.sync, row.source_id)} ${row.source_id}`, cell: (row) => person(row.sync, row.source_id) },
    { label: "Sync", value: (row) => row.sync },
    { label: "Tries", value: (row) => row.tries, number: true },
    { label: "Next try", value: (row) => row.next_try_at, cell: (row) => when(row.next_try_at) },
  ];
  return h("section", { class: "cause", "aria-label": reason }, h("h3", {}, reason, h("span", { class: "quiet" }, ` — ${many(users.length, "user")}`)),
    users[0].hint && h("p", {}, coded(users[0].hint), "."),
    users[0].hint?.includes("xtsync adopt") && h("p", {}, "On this page: ", h("a", { href: "#/adoptions" }, "Adoptions"), "."),
    table({ label: reason, columns, rows: users, sorted: "Next try" }),
    acts && h("p", { class: "actions" }, button(users.length === 1 ? "Try this one again …" : `Try these ${users.length} again …`, () => tryAgain(reason, users, again))));
}

async function tryAgain(reason, users, again) {
  const done = await confirm({
    title: `Try ${many(users.length, "user")} again now?`,
    about: h("p", {}, `They are set aside as “${reason}”. The app looks at each of them afresh. If the cause is still there, they are set aside again.`),
    yes: "Try again",
    act: async () => {
      for (const [sync, some] of Map.groupBy(users, (each) => each.sync)) {
        const ids = some.map((each) => each.source_id);
        for (let first = 0; first < ids.length; first += AT_ONCE) {
          await post(path("sync", sync), { users: ids.slice(first, first + AT_ONCE) });
        }
      }
      return `Asked for: ${many(users.length, "user")}. This list is shorter when the app has looked.`;
    },
  });
  if (done) again();
}
