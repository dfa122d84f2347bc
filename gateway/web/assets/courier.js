// A courier's pages on a phone: the camera reads labels, an opening is followed, the badge and what waits to be sent are
// kept in this phone. All of it is beside what the pages do without a script.
"use strict";
(() => {
  const told = document.getElementById("courier").dataset;
  const BADGE = "consigne.badge";
  const language = document.documentElement.lang;

  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.register(`/courier/sw.js?lang=${language}`, { scope: "/courier" }).catch(() => {});
  }

  // ---------------------------------------------------------------- the camera
  const KINDS = ["code_128", "code_39", "itf", "ean_13", "data_matrix", "qr_code"];

  async function scan(field) {
    const dialog = document.createElement("dialog");
    const how = document.createElement("p");
    const video = document.createElement("video");
    const close = document.createElement("button");
    dialog.className = "scan";
    how.textContent = told.scanHow;
    video.muted = video.playsInline = true;
    close.className = "act big";
    close.type = "button";
    close.textContent = told.scanClose;
    close.onclick = () => dialog.close();
    dialog.append(how, video, close);
    document.body.append(dialog);
    let stream = null;
    dialog.onclose = () => {
      for (const track of stream ? stream.getTracks() : []) track.stop();
      dialog.remove();
      field.focus();
    };
    dialog.showModal();
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      if (!dialog.open) return dialog.onclose();
      video.srcObject = stream;
      await video.play();
      const known = await BarcodeDetector.getSupportedFormats();
      const formats = field.dataset.scan === "qr" ? ["qr_code"] : KINDS.filter((kind) => known.includes(kind));
      const detector = new BarcodeDetector({ formats });
      while (dialog.open) {
        const [found] = await detector.detect(video);
        if (found) {
          field.value = found.rawValue;
          field.dispatchEvent(new Event("input", { bubbles: true }));
          return dialog.close();
        }
        await new Promise((resolve) => setTimeout(resolve, 120));
      }
    } catch {
      how.textContent = told.scanRefused;
      how.setAttribute("role", "alert");
    }
  }

  if ("BarcodeDetector" in window && navigator.mediaDevices) {
    for (const field of document.querySelectorAll("input[data-scan]")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "act plain";
      button.textContent = told.scan;
      button.onclick = () => scan(field);
      field.after(button);
    }
  }

  // ---------------------------------------------------------------- an opening, followed
  const PAUSE_MS = 1500;

  async function follow() {
    const here = document.getElementById("follow");
    while (here && "running" in here.dataset) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      try {
        const answer = await fetch(location.href, { redirect: "manual" });
        if (answer.type === "opaqueredirect") return location.reload();
        const there = parsed(await answer.text()).getElementById("follow");
        if (!there) return location.reload();
        if (there.innerHTML !== here.innerHTML) here.replaceChildren(...there.childNodes);
        if (!("running" in there.dataset)) delete here.dataset.running;
      } catch {
        // no network for the moment: asked again
      }
    }
  }

  const parsed = (text) => new DOMParser().parseFromString(text, "text/html");
  follow();

  // ---------------------------------------------------------------- the badge
  const badge = document.getElementById("badge");
  const badgeForm = document.getElementById("badge-form");

  function keptBadge() {
    try {
      return JSON.parse(localStorage.getItem(BADGE)) || {};
    } catch {
      return {};
    }
  }

  /** As the server drew it, or as this phone kept it. */
  function drawBadge(from) {
    const drawn = new DOMParser().parseFromString(from.svg, "image/svg+xml").documentElement;
    badge.querySelector(".qr").replaceChildren(document.importNode(drawn, true));
    document.getElementById("holder").textContent = from.holder;
    document.getElementById("until").textContent = from.until;
    document.getElementById("in-phone").hidden = false;
    badge.hidden = false;
    badgeForm.hidden = true;
  }

  /** Takes what a page of the server shows of this badge, and keeps it. */
  function keepBadge(text, page) {
    const drawn = page.querySelector("#badge .qr svg");
    if (!drawn) return false;
    const seen = (id) => page.getElementById(id).textContent;
    const svg = new XMLSerializer().serializeToString(drawn);
    const made = { text, svg, holder: seen("holder"), until: seen("until") };
    localStorage.setItem(BADGE, JSON.stringify(made));
    drawBadge(made);
    return true;
  }

  async function bringBadge(text) {
    localStorage.setItem(BADGE, JSON.stringify({ text })); // first of all: the link is gone from the address
    const body = new URLSearchParams({ badge: text });
    let answer;
    try {
      answer = await fetch("/courier/badge", { method: "POST", body });
    } catch {
      document.getElementById("badge-unsent").hidden = false;
      window.addEventListener("online", () => bringBadge(text), { once: true });
      return;
    }
    const page = parsed(await answer.text());
    document.getElementById("badge-unsent").hidden = true;
    if (keepBadge(text, page)) return;
    if (answer.status !== 401) return;
    localStorage.removeItem(BADGE);
    badgeForm.replaceWith(document.importNode(page.getElementById("badge-form"), true));
  }

  function textBehind(hash) {
    try {
      return decodeURIComponent(hash.slice(1));
    } catch {
      return hash.slice(1); // it was not encoded, and holds a % of its own
    }
  }

  if (badge) {
    document.getElementById("forget-badge").onclick = () => {
      localStorage.removeItem(BADGE);
      location.replace("/courier/badge");
    };
    badgeForm.addEventListener("submit", (event) => {
      event.preventDefault();
      bringBadge(badgeForm.elements.badge.value.trim());
    });
    const brought = textBehind(location.hash);
    const kept = keptBadge();
    if (brought) {
      history.replaceState(null, "", location.pathname);
      bringBadge(brought);
    } else if (kept.svg) {
      drawBadge(kept);
    } else if (kept.text) {
      bringBadge(kept.text);
    }
  }
})();
