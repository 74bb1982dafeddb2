// Times, spans and counts in words. "Now" is the app's time, since the clock of this machine may be wrong.

import { h } from "./dom.js";

let ahead = 0; // milliseconds of the app's clock before ours

export function setNow(text) {
  ahead = Date.parse(text) - Date.now();
}

export const now = () => Date.now() + ahead;

const UNITS = [[86400, "days"], [3600, "h"], [60, "min"]];

/** `48 s`, `5 min`, `3 h`, `12 days`: one unit is enough to judge by. */
export function span(seconds) {
  for (const [size, unit] of UNITS) {
    if (seconds >= 2 * size) return `${Math.round(seconds / size)} ${unit}`;
  }
  return `${Math.round(seconds)} s`;
}

/** A point of time as a person reads it; the exact time is in its title. */
export function when(text) {
  if (!text) return h("span", { class: "quiet" }, "never");
  const seconds = (now() - Date.parse(text)) / 1000;
  const said = Math.abs(seconds) <= 5 ? "just now" : seconds >= 0 ? `${span(seconds)} ago` : `in ${span(-seconds)}`;
  return h("time", { datetime: text, title: exact(text) }, said);
}

/** `2026-01-05 09:00:00`, in UTC as everywhere. */
export const exact = (text) => `${text.slice(0, 10)} ${text.slice(11, 19)} UTC`;

export const many = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

export const words = (text) => text.replaceAll("_", " ");

/** A text of the app, in which `commands` stand between such marks. */
export const coded = (text) => text.split("`").map((part, i) => (i % 2 ? h("code", {}, part) : part));

/** A word in a frame; `kind` is good, warn, bad or quiet, and the word says the same. */
export const badge = (text, kind) => h("span", { class: `badge ${kind}` }, text);
