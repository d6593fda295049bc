// The page Quality: a file of findings that is chosen goes to the server, and what became of it is said.

const input = document.querySelector("[data-checked]");
const said = document.getElementById("checked-said");

input?.addEventListener("change", async () => {
  const [file] = input.files;
  if (!file) return;
  said.className = "notice";
  said.textContent = `Importing ${file.name} …`;
  try {
    const answer = await fetch(input.dataset.checked, {
      method: "PUT",
      headers: { "content-type": "application/json", "x-csrf-token": document.querySelector("meta[name=csrf-token]").content },
      body: file,
    });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.error);
    said.className = "notice good";
    said.textContent = `${told.kept} findings in place of those before.`;
    location.reload();
  } catch (error) {
    said.className = "notice bad";
    said.textContent = `${file.name} was not imported: ${error.message}`;
  } finally {
    input.value = "";
  }
});
