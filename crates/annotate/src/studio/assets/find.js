// A label by a part of its name, where there are more labels than numbers.

import { make } from "./keys.js";

const by = id => document.getElementById(id);

export function find(editor) {
  const dialog = by("find");
  const field = by("find-name");
  const list = by("find-list");
  const found = () => editor.task.labels.map((label, position) => ({ label, position }))
    .filter(({ label }) => label.name.toLowerCase().includes(field.value.trim().toLowerCase()));
  const take = position => {
    dialog.close();
    by("text").focus();
    editor.label(position);
  };
  const fill = () => list.replaceChildren(...found().map(({ label, position }) => {
    const button = make("button", { type: "button", className: "plain" },
      make("span", { className: `chip ${editor.classOf(label.name)}` }, label.name), make("span", { className: "quiet" }, label.definition));
    button.addEventListener("click", () => take(position));
    return make("li", {}, button);
  }));
  field.value = "";
  field.oninput = fill;
  field.onkeydown = event => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (found().length) take(found()[0].position);
  };
  fill();
  dialog.showModal();
}
