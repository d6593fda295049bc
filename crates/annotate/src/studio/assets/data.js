// The page with all documents: files of documents come in.

import { uploads } from "./upload.js";

const input = document.querySelector("[data-import]");

uploads(
  input,
  document.getElementById("import-said"),
  file => ({ address: `${input.dataset.import}?${new URLSearchParams({ name: file.name })}`, method: "POST", type: "application/octet-stream" }),
  ({ added, known, differing }) => {
    const other = differing.length ? `; ${differing.length} that were there have other annotations in the file and stay as they were` : "";
    return { words: `${added} new, ${known} known${other}.`, isOther: added > 0 };
  },
);
