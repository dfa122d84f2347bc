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
  const FORM_NUMBERS = /name="act" value="[^"]*"/g; // new each time, and no news
  let failures = 0;
  let before = null;

  const things = () =>
    new Map([...part.querySelectorAll("[data-says]")].map((thing) => [thing.dataset.says, words(thing)]));
  const words = (thing) => (thing.querySelector(".unseen") || thing).textContent.replace(/\s+/g, " ").trim();

  /** What the focus can be on, if it leads to the same: a door has two links, on the drawing and in the list. */
  const nameOf = (one) => one.getAttribute("href") ?? one.form?.getAttribute("action");
  const likeIt = (name) => [...part.querySelectorAll("a, button")].filter((one) => nameOf(one) === name);

  /** Somebody is choosing in a form: what they chose would be lost. */
  const choosing = () => part.contains(document.activeElement) && document.activeElement.form?.querySelector("select");

  function show(text) {
    const plain = text.replace(FORM_NUMBERS, "");
    if (plain === before || choosing()) return;
    before = plain;
    const old = things();
    const name = part.contains(document.activeElement) ? nameOf(document.activeElement) : null;
    const place = likeIt(name).indexOf(document.activeElement);
    part.innerHTML = text; // a part of our own page, escaped where it was made
    const changed = [...things()].filter(([thing, now]) => old.get(thing) !== now).map(([, now]) => now);
    if (changed.length) said.textContent = changed.slice(0, SAID_AT_ONCE).join(". ");
    if (place >= 0) likeIt(name)[place]?.focus();
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
