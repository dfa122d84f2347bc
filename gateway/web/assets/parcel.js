// A parcel's page without this is whole. With it: a button copies, another shares, and the page notices changes.
"use strict";
(() => {
  const EVERY_MS = 20000;

  function say(button) {
    const note = document.createElement("span");
    note.className = "done";
    note.setAttribute("role", "status");
    button.after(note);
    note.textContent = button.dataset.done; // after it is there: then it is read out
    setTimeout(() => note.remove(), 6000);
  }

  function dress(root) {
    for (const button of root.querySelectorAll("[data-copy]")) {
      if (!navigator.clipboard) continue;
      button.hidden = false;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(button.dataset.copy);
        say(button);
      });
    }
    for (const button of root.querySelectorAll("[data-share]")) {
      if (!navigator.share) continue;
      button.hidden = false;
      button.addEventListener("click", () => {
        navigator.share({ text: button.dataset.text, url: button.dataset.share }).catch(() => {});
      });
    }
  }

  // Whoever is filling in a form, or reads an opened part, keeps it: then a line says that there is news.
  function busy(live) {
    return live.contains(document.activeElement) || live.querySelector("details[open] form") !== null;
  }

  function tell(text, link) {
    const news = document.getElementById("news");
    news.hidden = false;
    news.textContent = text;
    if (!link) return;
    const again = document.createElement("a");
    again.href = location.pathname;
    again.className = "reload";
    again.textContent = news.dataset.reload;
    news.append(" ", again);
  }

  async function look() {
    const live = document.getElementById("live");
    const where = live && live.dataset.state;
    if (!where || document.hidden) return;
    try {
      const answer = await fetch(where, { cache: "no-store" });
      if (!answer.ok) return;
      const { version } = await answer.json();
      if (version === live.dataset.version) return;
      const changed = document.getElementById("news").dataset.changed;
      if (busy(live)) return tell(changed, true);
      const page = await fetch(location.pathname + "?lang=" + document.documentElement.lang, { cache: "no-store" });
      if (!page.ok) return;
      const made = new DOMParser().parseFromString(await page.text(), "text/html");
      live.replaceWith(document.importNode(made.getElementById("live"), true));
      document.title = made.title;
      dress(document.getElementById("live"));
      tell(changed + " " + document.querySelector("h1").textContent, false);
    } catch {
      // No network for a moment: the page stands as it is, and looks again.
    }
  }

  dress(document);
  const said = document.getElementById("said");
  if (said) said.focus();
  setInterval(look, EVERY_MS);
  document.addEventListener("visibilitychange", look);
})();
