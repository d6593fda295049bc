// The page with all documents: a file that is chosen goes to the server, and what became of it is said.

const input = document.querySelector("[data-import]");
const said = document.getElementById("import-said");

input?.addEventListener("change", async () => {
  const [file] = input.files;
  if (!file) return;
  said.className = "notice";
  said.textContent = `Importing ${file.name} …`;
  try {
    const answer = await fetch(`${input.dataset.import}?${new URLSearchParams({ name: file.name })}`, {
      method: "POST",
      headers: { "content-type": "application/octet-stream", "x-csrf-token": document.querySelector("meta[name=csrf-token]").content },
      body: file,
    });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.error);
    const differing = told.differing.length ? `; ${told.differing.length} that were there have other annotations in the file and stay as they were` : "";
    said.className = "notice good";
    said.textContent = `${told.added} new, ${told.known} known${differing}.`;
    if (told.added) location.reload();
  } catch (error) {
    said.className = "notice bad";
    said.textContent = `${file.name} was not imported: ${error.message}`;
  } finally {
    input.value = "";
  }
});
