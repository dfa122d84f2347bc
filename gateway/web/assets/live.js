// Fetches a part of the page anew while somebody looks at it, and says politely what has changed in it.
// [data-live]: the part and its address; [data-every]: ms; [data-says]: one thing that may change, by name;
// [data-over]: nothing will change any more. Without this script the page is as good, and is loaded anew by hand.
"use strict";
(() => {
  const part = document.querySelector("[data-live]");
  if (!part) return;
  const said = document.querySelector("[data-live-said]");
  const stale = document.querySelector("[data-live-stale]");
  const SAID_AT_ONCE = 3;
  const FAILURES = 3;
  let failures = 0;
  let before = null;

  const things = () =>
    new Map([...part.querySelectorAll("[data-says]")].map((thing) => [thing.dataset.says, words(thing)]));
  const words = (thing) => (thing.querySelector(".unseen") || thing).textContent.replace(/\s+/g, " ").trim();

  function show(text) {
    if (text === before) return;
    before = text;
    const old = things();
    const links = () => [...part.querySelectorAll("a")];
    const place = links().indexOf(document.activeElement); // a door has two links: on the drawing, and in the list
    const focused = place < 0 ? null : links()[place].getAttribute("href");
    part.innerHTML = text; // a part of our own page, escaped where it was made
    const changed = [...things()].filter(([name, now]) => old.get(name) !== now).map(([, now]) => now);
    if (changed.length) said.textContent = changed.slice(0, SAID_AT_ONCE).join(". ");
    if (links()[place]?.getAttribute("href") === focused) links()[place]?.focus();
  }

  async function look() {
    if (document.hidden) return;
    try {
      const answer = await fetch(part.dataset.live, { signal: AbortSignal.timeout(10000) });
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      show(await answer.text());
      failures = 0;
      stale.hidden = true;
    } catch {
      failures += 1;
      stale.hidden = failures < FAILURES;
    }
  }

  async function again() {
    await look();
    if (!part.querySelector("[data-over]")) setTimeout(again, Number(part.dataset.every));
  }

  if (!part.querySelector("[data-over]")) setTimeout(again, Number(part.dataset.every));
  document.addEventListener("visibilitychange", () => document.hidden || look());
})();
