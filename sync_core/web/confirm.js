// A question before anything is done. Escape and "Cancel" do nothing; the focus goes back to where it was.

import { button, failure, h, say } from "./dom.js";

/**
 * `about`: nodes that say what will happen. `act` is called with the text of the field, if one is `asked` for; what it
 * gives is said, and an error stays in the dialog. Resolves to true if it was done. One question stands at a time: who
 * presses twice while something is read for it gets one.
 */
export function confirm({ title, about, yes, danger, asked, act }) {
  if (document.querySelector("dialog[open]")) return Promise.resolve(false);
  return new Promise((resolve) => {
    let done = false;
    const wrong = h("div", {});
    const field = asked && h("input", { id: "asked", type: "text", required: true, maxlength: 500, autocomplete: "off" });
    const go = h("button", { type: "submit", class: danger ? "danger" : "primary" }, yes);
    const cancel = button("Cancel", () => dialog.close());
    const form = h("form", { method: "dialog", onsubmit }, h("h2", { id: "question" }, title), about,
      asked && h("p", {}, h("label", { for: "asked" }, asked), field), wrong,
      h("p", { class: "actions" }, go, cancel));
    const dialog = h("dialog", { "aria-labelledby": "question", onclose }, form);

    async function onsubmit(event) {
      event.preventDefault();
      go.disabled = true;
      wrong.replaceChildren();
      try {
        say(await act(field?.value.trim()));
        done = true;
        dialog.close();
      } catch (error) {
        wrong.append(failure(error));
      } finally {
        go.disabled = false;
      }
    }

    function onclose() {
      dialog.remove();
      resolve(done);
    }

    document.body.append(dialog);
    dialog.showModal();
    (form.querySelector("input") ?? cancel).focus(); // not a link of `about`, and nothing that does something
  });
}
