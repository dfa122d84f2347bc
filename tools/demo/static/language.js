// French first; the other language by a button, remembered in this browser.

import { language, setLanguage } from "./words.js";

/** `draw` is called when the language changed. */
export function languageButton(draw) {
  const button = document.getElementById("language");
  setLanguage(localStorage.getItem("language") === "en" ? "en" : "fr");
  const show = () => {
    const other = language() === "fr" ? "en" : "fr";
    button.textContent = other === "en" ? "English" : "Français";
    button.lang = other;
  };
  button.addEventListener("click", () => {
    setLanguage(language() === "fr" ? "en" : "fr");
    localStorage.setItem("language", language());
    show();
    draw();
  });
  show();
}
