// Pictures, for people who look rather than read. Each has its figures as text, too.

import { h, svg } from "./dom.js";
import { many } from "./format.js";

const HEIGHT = 100;
const SERIES = [
  { name: "access given", mark: "given", kinds: ["invited", "linked", "adopted", "enabled", "restored"] },
  { name: "updated", mark: "updated", kinds: ["updated"] },
  { name: "access taken", mark: "taken", kinds: ["disabled", "soft_deleted", "unlinked"] },
  { name: "held, refused or set aside", mark: "waiting", kinds: ["held", "refused", "parked", "lost"] },
  { name: "other", mark: "other", kinds: [] },
];
const OTHER = SERIES.length - 1;

/** Bars of the document `Hours`: one for each hour, in layers. */
export function perHour({ hours, complete }) {
  const bars = hours.map(({ at, kinds }) => ({ at, counts: layers(kinds) }));
  const most = Math.max(1, ...bars.map(({ counts }) => sum(counts)));
  const total = sum(bars.map(({ counts }) => sum(counts)));
  const used = SERIES.map((series, i) => ({ ...series, count: sum(bars.map(({ counts }) => counts[i])) }));
  const label = `Events per hour: ${many(total, "event")} in 24 hours, at most ${most.toLocaleString("en")} in one`;
  const picture = svg("svg", { role: "img", "aria-label": label, viewBox: `0 0 ${bars.length * 10} ${HEIGHT}`, preserveAspectRatio: "none", class: "bars" },
    bars.map((bar, i) => column(bar, i, most)));
  const legend = used.filter(({ count }) => count).map(({ name, mark, count }) =>
    h("li", {}, h("span", { class: `mark ${mark}` }), `${name}: ${count.toLocaleString("en")}`));
  return h("figure", {},
    h("div", { class: "scale quiet" }, h("span", {}, `at most ${many(most, "event")} in an hour`), h("span", {}, "in UTC")),
    picture,
    h("div", { class: "scale quiet" }, [0, 6, 12, 18, 23].map((i) => h("span", {}, bars[i]?.at.slice(11, 16) ?? ""))),
    h("figcaption", {}, total ? h("ul", { class: "legend" }, legend) : "Nothing happened in the last 24 hours.",
      !complete && h("p", { class: "quiet" }, "There were more events than are counted here: the oldest are missing.")));
}

function column({ at, counts }, i, most) {
  let top = HEIGHT;
  const parts = counts.map((count, n) => {
    const height = (count / most) * HEIGHT;
    top -= height;
    return count ? svg("rect", { x: i * 10 + 1, y: top, width: 8, height, class: SERIES[n].mark }) : null;
  });
  const said = counts.map((count, n) => count && `${SERIES[n].name}: ${count}`).filter(Boolean).join(", ");
  const ground = svg("rect", { x: i * 10 + 1, y: 0, width: 8, height: HEIGHT, class: "ground" });
  return svg("g", {}, svg("title", {}, `${at.slice(11, 16)} UTC — ${said || "nothing"}`), ground, parts);
}

function layers(kinds) {
  const counts = SERIES.map(() => 0);
  for (const [kind, count] of Object.entries(kinds)) {
    const found = SERIES.findIndex((series) => series.kinds.includes(kind));
    counts[found < 0 ? OTHER : found] += count;
  }
  return counts;
}

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

const STEPS = {
  users: [["pages", "reads changes"], ["sweep", "looks for users who are gone"], ["marked", "looks for our marker in the targets"]],
  groups: [["pages", "reads changes"], ["members", "lists members"]],
};

/** The steps of a round, and where it stands. No step is marked between two rounds. */
export function round({ feed, phase, entries, nominated }) {
  const steps = STEPS[feed] ?? STEPS.users;
  const at = steps.findIndex(([name]) => name === phase);
  const said = at < 0 ? "between two rounds" : steps[at][1];
  const width = steps.length * 24;
  const dots = steps.map(([name], i) => svg("circle", { cx: 12 + i * 24, cy: 8, r: 5, class: name === phase ? "now" : i < at ? "done" : "ahead" }));
  const picture = svg("svg", { role: "img", "aria-label": said, viewBox: `0 0 ${width} 16`, width, height: 16, class: "round" },
    svg("line", { x1: 12, y1: 8, x2: width - 12, y2: 8 }), dots);
  const counts = `${many(entries, "entry").replace("entrys", "entries")} read, ${nominated.toLocaleString("en")} to look at`;
  return h("div", { class: "progress" }, picture, h("span", {}, said), h("span", { class: "quiet" }, counts));
}

/** How full a window of the guard is. */
export function gauge(used, limit) {
  const part = limit ? Math.min(1, used / limit) : 0;
  const label = limit === null ? `${used} used` : `${used} of ${limit} used`;
  return h("span", { class: "gauge" },
    svg("svg", { role: "img", "aria-label": label, viewBox: "0 0 60 8", width: 60, height: 8 },
      svg("rect", { width: 60, height: 8, rx: 4, class: "ground" }),
      svg("rect", { width: part * 60, height: 8, rx: 4, class: part >= 1 ? "full" : "filled" })), label);
}
