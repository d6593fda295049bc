// A file that is chosen goes to the server, and what became of it is said.

// `ask(file)` gives address, method and content type; `tell(answer)` what to say of the answer, and whether the page is another now.
export function uploads(input, said, ask, tell) {
  input?.addEventListener("change", async () => {
    const [file] = input.files;
    if (!file) return;
    said.className = "notice";
    said.textContent = `Importing ${file.name} …`;
    try {
      const { address, method, type } = ask(file);
      const headers = { "content-type": type, "x-csrf-token": document.querySelector("meta[name=csrf-token]").content };
      const answer = await fetch(address, { method, headers, body: file });
      const told = await answer.json();
      if (!answer.ok) throw new Error(told.error);
      const { words, isOther } = tell(told);
      said.className = "notice good";
      said.textContent = words;
      if (isOther) location.reload();
    } catch (error) {
      said.className = "notice bad";
      said.textContent = `${file.name} was not imported: ${error.message}`;
    } finally {
      input.value = "";
    }
  });
}
