// Receipts that wait in this phone. One is written down before it is sent, and goes from here only once the gateway has
// said that it has it, or somebody removed it. Sent twice it counts once: the gateway says the same again.
"use strict";
(() => {
  const RECEIPTS = "consigne.receipts";
  const AGAIN_MS = 20_000;
  const carrier = document.getElementById("courier").dataset.carrier;
  const form = document.getElementById("receipt-form");
  const list = document.getElementById("waiting");
  const said = new Map(); // id -> what is said of it now
  let corrected = null; // id of the refused one that is in the form again

  function all() {
    try {
      return JSON.parse(localStorage.getItem(RECEIPTS)) || [];
    } catch {
      return [];
    }
  }

  /** Read anew each time: another tab may have sent one meanwhile. */
  function change(id, how) {
    const receipts = all().flatMap((receipt) => (receipt.id === id ? how(receipt) : [receipt]));
    localStorage.setItem(RECEIPTS, JSON.stringify(receipts));
  }

  // ---------------------------------------------------------------- what is typed
  // Damm's table, as in protocol/damm.py: a typing error is told while the locker's screen is still there to be read.
  const DAMM = "0317598642709215486342068713591750983426612304597836742095815869720134894536201794386172052581436790";

  function isWhole(fields) {
    if (fields.receipt) return fields.receipt.startsWith("CR1:");
    const digits = (fields.digits || "").replace(/\s/g, "");
    const last = [...digits].reduce((interim, digit) => Number(DAMM[interim * 10 + Number(digit)]), 0);
    return /^\d{12}$/.test(digits) && last === 0 && Boolean(fields.label);
  }

  function take(event) {
    const fields = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]));
    const wrong = !isWhole(fields);
    document.getElementById("typing-problem").hidden = !wrong;
    if (wrong) {
      event.preventDefault();
      form.elements[fields.receipt ? "receipt" : "digits"].focus();
      return;
    }
    const id = `${Date.now()}-${Math.random()}`;
    try {
      const others = all().filter((receipt) => receipt.id !== corrected);
      localStorage.setItem(RECEIPTS, JSON.stringify([...others, { id, carrier, fields }]));
    } catch {
      return; // this browser keeps nothing: the form is sent as without a script
    }
    event.preventDefault();
    corrected = null;
    form.reset();
    send();
  }

  /** It stays in the list until it is handed in anew. */
  function correct({ id, fields }) {
    for (const [name, value] of Object.entries(fields)) {
      if (form.elements[name]) form.elements[name].value = value;
    }
    corrected = id;
    form.elements[fields.receipt ? "receipt" : "digits"].focus();
  }

  // ---------------------------------------------------------------- sending
  async function send() {
    if (!("locks" in navigator)) return sendAll();
    await navigator.locks.request(RECEIPTS, { ifAvailable: true }, (lock) => (lock ? sendAll() : null));
    draw();
  }

  async function sendAll() {
    for (const receipt of all()) {
      if (receipt.refused || receipt.carrier !== carrier) continue;
      said.set(receipt.id, "sending");
      draw();
      const goesOn = await sendOne(receipt);
      draw();
      if (!goesOn) return;
    }
  }

  /** Whether it is worth trying the next one. */
  async function sendOne({ id, fields }) {
    const body = new URLSearchParams({ ...fields, answer: "json" });
    let answer;
    let text;
    try {
      answer = await fetch("/courier/receipts", { method: "POST", body, redirect: "manual" });
      if (answer.type === "opaqueredirect") {
        said.set(id, "signedOut");
        return false;
      }
      ({ text } = await answer.json());
    } catch {
      said.set(id, "waiting");
      return false;
    }
    if (answer.ok) {
      change(id, () => []);
      tell(text);
    } else if (answer.status === 429 || answer.status >= 500) {
      said.set(id, "waiting");
      return false;
    } else {
      change(id, (receipt) => [{ ...receipt, refused: text }]);
    }
    return true;
  }

  // ---------------------------------------------------------------- showing
  function nameOf({ carrier: whose, fields }) {
    if (whose !== carrier) return list.dataset.other;
    if (!fields.receipt) return fields.label;
    return list.dataset.qr.replace("LOCKER", fields.receipt.split(":")[1].toLowerCase());
  }

  /** What has arrived, on the page that is open. */
  function tell(text) {
    const sent = document.getElementById("sent");
    if (!sent) return;
    const line = document.createElement("p");
    line.className = "notice good";
    line.textContent = text;
    sent.append(line);
    document.getElementById("kept").hidden = true;
  }

  function button(word, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "act plain";
    made.textContent = word;
    made.onclick = act;
    return made;
  }

  function row(receipt) {
    const item = document.createElement("li");
    const name = document.createElement("p");
    const state = document.createElement("p");
    name.className = "label";
    name.textContent = nameOf(receipt);
    state.textContent = receipt.refused || list.dataset[said.get(receipt.id) || "waiting"];
    if (receipt.refused) state.className = "notice bad";
    item.append(name, state);
    if (receipt.carrier !== carrier) return item;
    if (receipt.refused) item.append(button(list.dataset.correct, () => correct(receipt)));
    const remove = () => {
      if (!window.confirm(list.dataset.removeSure)) return;
      change(receipt.id, () => []);
      draw();
    };
    item.append(button(list.dataset.remove, remove));
    return item;
  }

  function draw() {
    const receipts = all();
    const note = document.getElementById("unsent");
    if (note) note.hidden = !receipts.length;
    if (!list) return;
    list.hidden = !receipts.length;
    list.querySelector("ul").replaceChildren(...receipts.map(row));
    document.getElementById("send-now").hidden = !receipts.some((receipt) => !receipt.refused);
  }

  if (form) {
    form.addEventListener("submit", take);
    document.getElementById("send-now").onclick = send;
  }
  window.addEventListener("online", send);
  window.addEventListener("storage", draw);
  setInterval(() => all().length && send(), AGAIN_MS);
  draw();
  if (all().length) send();
})();
