// Tables that sort and filter. On a narrow screen each row is a card, and the heads are buttons above the cards.

import { button, empty, h } from "./dom.js";
import { many } from "./format.js";

const SHOWN = 100; // rows at first, and more with each press: each may cost a name

/**
 * `columns`: `label`, `value` of a row (for sorting and filtering), and `cell`, which makes a node or a text of a row;
 * left out, the value is shown. `sorted`: the label of the column by which the rows come. `none`: shown instead of an
 * empty table. With `choice` (a Set of rows) each row can be ticked, and `onchoice` is called.
 */
export function table({ label, columns, rows, none, sorted, descending = false, choice, onchoice, choosable }) {
  if (!rows.length) return empty(none);
  const state = { by: columns.find((each) => each.label === sorted) ?? null, descending, text: "", shown: SHOWN };
  const heads = columns.map((column) => head(column, state, draw));
  const body = h("tbody", { role: "rowgroup" });
  const count = h("span", { class: "quiet" });
  const more = button("Show more", () => {
    state.shown += SHOWN;
    draw();
  });
  const filter = h("input", { type: "search", "aria-label": `Filter: ${label}`, placeholder: "Filter", oninput });
  function oninput() {
    state.text = filter.value.toLowerCase();
    draw();
  }
  const first = choice ? [h("th", { role: "columnheader", scope: "col" }, h("span", { class: "hidden", id: "choose" }, "Choose"))] : [];

  const idOf = (row) => `row-${rows.indexOf(row)}`;

  function draw() {
    const found = rows.filter((row) => matches(row, columns, state.text));
    if (state.by) found.sort(order(state.by.value, state.descending));
    for (const each of heads) each.show();
    const page = found.slice(0, state.shown);
    body.replaceChildren(...page.map((row) => line(row, columns, tick(row), choice && idOf(row))));
    count.textContent = found.length === rows.length ? many(rows.length, "row") : `${found.length} of ${many(rows.length, "row")}`;
    more.hidden = found.length <= state.shown;
  }

  function tick(row) {
    if (!choice) return null;
    if (choosable && !choosable(row)) return h("td", { role: "cell" });
    const onchange = (event) => {
      if (event.target.checked) choice.add(row);
      else choice.delete(row);
      onchoice();
    };
    // By the cell of the person, whose name may come later.
    const box = h("input", { type: "checkbox", "aria-labelledby": `choose ${idOf(row)}`, checked: choice.has(row), onchange });
    return h("td", { role: "cell", class: "tick" }, box);
  }

  draw();
  const thead = h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, first, heads.map((each) => each.element)));
  const tools = rows.length > 5 ? h("p", { class: "tools" }, filter, count) : h("p", { class: "tools", hidden: true }, filter, count);
  return h("div", { class: "table" }, tools, h("table", { role: "table", "aria-label": label }, thead, body), more);
}

function head(column, state, draw) {
  const sort = button(column.label, () => {
    state.descending = state.by === column && !state.descending;
    state.by = column;
    draw();
  });
  const element = h("th", { role: "columnheader", scope: "col", class: column.number && "number" }, sort);
  const show = () => {
    const direction = state.descending ? "descending" : "ascending";
    element.setAttribute("aria-sort", state.by === column ? direction : "none");
  };
  return { element, show };
}

function line(row, columns, tick, id) {
  const cells = columns.map(({ label, value, cell, number, wide }, i) =>
    h("td", { role: "cell", id: i === 0 && id, "data-label": label, class: [number && "number", wide && "wide"].filter(Boolean).join(" ") || null },
      cell ? cell(row) : String(value(row) ?? "")));
  return h("tr", { role: "row" }, tick, cells);
}

function matches(row, columns, text) {
  return !text || columns.some(({ value }) => String(value(row) ?? "").toLowerCase().includes(text));
}

function order(value, descending) {
  const sign = descending ? -1 : 1;
  return (a, b) => {
    const [x, y] = [value(a) ?? "", value(b) ?? ""];
    if (typeof x === "number" && typeof y === "number") return sign * (x - y);
    return sign * String(x).localeCompare(String(y), "en", { numeric: true });
  };
}
