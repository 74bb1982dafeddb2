// Elements, and the states of a section. Texts become text nodes and nothing else: no markup is ever parsed.

const SVG = "http://www.w3.org/2000/svg";

/** An element. Attributes by name; `on...` are listeners; false, null and undefined leave an attribute out. */
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.flat(Infinity).filter((each) => each !== null && each !== undefined && each !== false));
  return element;
}

export function button(text, onclick, attributes) {
  return h("button", { type: "button", onclick, ...attributes }, text);
}

/** A choice with its label. `options`: values and texts; one that is chosen and none of them is one more. */
export function select(name, label, options, chosen) {
  const known = options.some(([value]) => value === chosen) ? options : [...options, [chosen, chosen]];
  return h("label", {}, label, h("select", { name }, known.map(([value, text]) => h("option", { value, selected: value === chosen }, text))));
}

export const selectSync = (syncs, chosen) =>
  select("sync", "Sync", [["", "every sync"], ...syncs.map((name) => [name, name])], chosen);

/** Choices that stand in the address of the page, so that it can be sent to somebody: there is no name among them. */
export function filters(view, ...fields) {
  const onchange = ({ currentTarget }) => {
    const given = [...new FormData(currentTarget)].filter(([name, value]) => value || name === "since");
    location.hash = `#/${view}?${new URLSearchParams(given)}`;
  };
  return h("form", { class: "filters", onchange, onsubmit: (event) => event.preventDefault() }, fields);
}

/** Says something to everybody, also to those who do not see where it stands. */
export function say(text) {
  document.getElementById("said").textContent = text;
}

/** What went wrong, and what to do. `more` is a node between the two. */
export function failure(error, again) {
  const box = h("div", { class: "failure", role: "alert" }, h("p", {}, h("strong", {}, error.message)));
  if (error.more) box.append(error.more);
  if (error.hint) box.append(h("p", {}, error.hint));
  if (error.link) box.append(h("p", {}, h("a", { href: error.link.href }, error.link.text)));
  if (again) box.append(button("Try again", again));
  return box;
}

export function empty(text) {
  return h("p", { class: "empty" }, text);
}

/** Other nodes in the place of those of `box`. The focus stays on what had it, or goes to `rest` if that is gone. */
export function swap(box, nodes, rest) {
  const had = document.activeElement;
  const held = box.contains(had);
  const name = held && nameOfControl(had);
  const place = held && alike(box, had, name).indexOf(had);
  box.replaceChildren(...nodes);
  if (held) (alike(box, had, name)[place] ?? rest).focus({ preventScroll: true });
}

const nameOfControl = (each) =>
  [each.closest("article, section, table")?.getAttribute("aria-label"), each.tagName, each.getAttribute("aria-label") ?? each.getAttribute("href") ?? each.textContent].join("/");

const alike = (box, { tagName }, name) =>
  [...box.getElementsByTagName(tagName)].filter((each) => nameOfControl(each) === name);

/**
 * A part of a view that reads something. `read` asks, and `show` makes nodes of the answer; each failure says what to
 * do. The section has a method `again`, which reads anew and leaves what is shown until then.
 */
export function section(title, read, show) {
  const body = h("div", { class: "body" });
  const made = h("section", { "aria-label": title, tabindex: -1 }, h("h2", {}, title), body);
  let newest = 0;
  made.again = async () => {
    const mine = ++newest;
    made.setAttribute("aria-busy", "true");
    if (!body.hasChildNodes()) body.append(h("p", { class: "loading" }, "Reading …"));
    try {
      const nodes = [await show(await read())].flat();
      if (mine === newest) put(nodes.filter(Boolean));
    } catch (error) {
      if (mine === newest) put([failure(error, (event) => made.again(event))]);
    } finally {
      if (mine === newest) made.removeAttribute("aria-busy");
    }
  };
  const put = (nodes) => swap(body, nodes, made);

  made.again();
  return made;
}

/**
 * A section of a list that comes page by page. `read` gives the page behind a place, whose `more` is the next place, and
 * `show` makes nodes of all pages so far. A button called `next` reads on; whoever else calls `again` begins anew.
 */
export function paged(title, next, read, show) {
  const pages = new Map(); // by the places behind which they begin
  let after = "";
  const made = section(title, async () => {
    const from = after;
    const page = await read(from);
    if (!from) pages.clear();
    pages.set(from, page);
    after = page.more ?? "";
  }, async () => [await show([...pages.values()]), after && button(next, made.again)].flat(Infinity));
  const again = made.again;
  made.again = (event) => {
    if (!(event instanceof Event)) after = "";
    return again(event);
  };
  return made;
}
