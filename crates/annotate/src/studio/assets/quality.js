// The page Quality: findings of a check come in.

import { uploads } from "./upload.js";

const input = document.querySelector("[data-checked]");

uploads(
  input,
  document.getElementById("checked-said"),
  () => ({ address: input.dataset.checked, method: "PUT", type: "application/json" }),
  ({ kept }) => ({ words: `${kept} findings in place of those before.`, isOther: true }),
);
