// The terminal on the locker: its screen's text, its keypad, its scanner, and what can go wrong around it.

import { el, qr } from "./make.js";
import { t } from "./words.js";

const KEYS = "123A456B789C*0#D";
const TYPED = { Enter: "#", Backspace: "*", Escape: "*" };

export function screen(node, { screen: lines, qr: picture, powered }) {
  node.classList.toggle("dead", !powered);
  const shown = [0, 1, 2, 3].map((row) => el("span", { text: powered ? (lines[row] ?? "") : "" }));
  if (powered && picture) shown.push(qr(picture, t("screen_qr")));
  node.replaceChildren(...shown);
}

export function keypad(node, press) {
  const buttons = new Map();
  for (const key of KEYS) {
    const kind = { "#": "confirm", "*": "back" }[key] ?? (/[A-D]/.test(key) ? "letter" : "");
    const button = el("button", { type: "button", class: kind, onclick: () => tap(key) }, el("span", { text: key }));
    if (kind) {
      button.append(el("small", { "data-word": `key_${key}`, text: t(`key_${key}`) }));
    }
    buttons.set(key, button);
    node.append(button);
  }
  function tap(key) {
    const button = buttons.get(key);
    button.classList.add("down");
    setTimeout(() => button.classList.remove("down"), 110);
    press(key);
  }
  // Typing works wherever no field, button or list wants the key for itself.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const inside = node.contains(event.target);
    if (!inside && event.target !== document.body) return;
    if (event.target.tagName === "BUTTON" && event.key === "Enter") return;
    const key = TYPED[event.key] ?? event.key.toUpperCase();
    if (!KEYS.includes(key) || key.length !== 1) return;
    event.preventDefault();
    tap(key);
  });
  return tap;
}

// What lies at hand is a list of {title, text}; the last choice is free text.
export class Scanner {
  constructor(form, slot, show) {
    this.list = form.querySelector("select");
    this.paste = form.querySelector("input");
    this.slot = slot;
    this.items = [];
    this.list.addEventListener("change", () => this.#swap());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.list.value === "other" ? this.paste.value : this.items[Number(this.list.value)]?.text;
      if (text) show(text);
    });
    slot.addEventListener("dragover", (event) => {
      event.preventDefault();
      slot.classList.add("over");
    });
    slot.addEventListener("dragleave", () => slot.classList.remove("over"));
    slot.addEventListener("drop", (event) => {
      event.preventDefault();
      slot.classList.remove("over");
      const text = event.dataTransfer.getData("text/plain");
      if (text) show(text);
    });
  }

  fill(items) {
    const before = this.list.value === "other" ? "other" : this.items[Number(this.list.value)]?.text;
    this.items = items;
    const options = items.map((item, place) => el("option", { value: place, text: item.title }));
    if (!items.length) options.push(el("option", { value: "", text: t("nothing_at_hand") }));
    options.push(el("option", { value: "other", text: t("other_text") }));
    this.list.replaceChildren(...options);
    const again = items.findIndex((item) => item.text === before);
    if (before === "other") this.list.value = "other";
    else if (again >= 0) this.list.value = String(again);
    else if (items.length) this.list.value = String(items.length - 1);
    this.paste.placeholder = t("other_text_hint");
    this.paste.setAttribute("aria-label", t("other_text_hint"));
    this.#swap();
  }

  choose(text) {
    const place = this.items.findIndex((item) => item.text === text);
    if (place >= 0) this.list.value = String(place);
    this.#swap();
  }

  flash() {
    this.slot.classList.remove("flash");
    requestAnimationFrame(() => this.slot.classList.add("flash"));
  }

  #swap() {
    this.paste.hidden = this.list.value !== "other";
  }
}

function segments(name, choices, chosen, pick) {
  return el(
    "div",
    { class: "segments", role: "radiogroup", "aria-label": t(name) },
    choices.map(([value, word, bad]) => {
      const input = el("input", { type: "radio", name, value, onchange: () => pick(value) });
      input.checked = value === chosen;
      return el("label", { class: bad ? "bad" : null }, input, t(word));
    }),
  );
}

export function faults(node, live, order) {
  const row = (word, control) => el("div", {}, el("dt", { text: t(word) }), el("dd", {}, control));
  const cable = [["none", "cable_none"], ["reset", "cable_reset", true], ["hole", "cable_hole", true]];
  const power = [["on", "power_on"], ["off", "power_off", true]];
  node.replaceChildren(
    el(
      "dl",
      {},
      row("cable", segments("cable", cable, live.cable, (cut) => order({ do: "cable", cut }))),
      row("power", segments("power", power, live.powered ? "on" : "off", (value) => order({ do: "power", on: value === "on" }))),
      row("controller", el("button", { type: "button", class: "act plain", onclick: () => order({ do: "kill" }), text: t("kill") })),
    ),
  );
}

/** One note of the locker's buzzer: the cabinet tells each as it begins, and how high. */
export function beep(hz) {
  const sound = (beep.context ??= new AudioContext());
  const tone = sound.createOscillator();
  const level = sound.createGain();
  tone.frequency.value = hz;
  level.gain.value = 0.05;
  tone.connect(level).connect(sound.destination);
  tone.start();
  tone.stop(sound.currentTime + 0.1);
}
