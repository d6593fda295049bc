// What every page has: the switch between light and dark, and questions before what cannot be taken back.

const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");

// The server reads the cookie, so that the next page comes in the right theme at once.
document.getElementById("theme")?.addEventListener("click", () => {
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
  root.dataset.theme = isDark ? "light" : "dark";
  document.cookie = `nomen-theme=${root.dataset.theme}; path=/; max-age=31536000; SameSite=Strict`;
});

// A form or button with data-confirm asks first.
addEventListener("submit", event => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});
