// Repairs to the theme's pages for readers who use a keyboard or a screen reader.
document.addEventListener("DOMContentLoaded", () => {
  // The accessible name of a control must contain the text that is seen on it (WCAG 2.5.3).
  for (const e of document.querySelectorAll(".search-button-field, summary[aria-label]")) {
    e.removeAttribute("aria-label");
  }
  // The book's name, a link to its first page, stands outside of every landmark.
  const home = document.querySelector(".sidebar-primary-item:has(> .navbar-brand)");
  home?.setAttribute("role", "navigation");
  home?.setAttribute("aria-label", "Home");
});
