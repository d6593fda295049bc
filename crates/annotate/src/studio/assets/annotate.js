// The page on which one text is annotated.

import { Editor } from "./editor.js";

new Editor(JSON.parse(document.getElementById("task").textContent));
