// Every letter that the gateway sent, newest first; a new one appears by itself.

import { languageButton } from "./language.js";
import { el } from "./make.js";
import { language, t, translate } from "./words.js";

const LOOK_MS = 1500;
let letters = [];

const isLink = (line) => /^https?:\/\//.test(line.trim());

function text(letter, code) {
  const paragraphs = (letter.texts[code] ?? "").split("\n\n");
  return el("div", { class: "text", lang: code }, paragraphs.map((line) =>
    isLink(line)
      ? el("p", {}, el("a", { class: "act", href: `/letters/${letter.number}/page`, text: t("open_letter") }), " ", el("code", { text: line.trim() }))
      : el("p", { class: /^ {4}/.test(line) ? "digits" : null, text: line.trim() }),
  ));
}

function shown(letter) {
  const first = language();
  const other = first === "fr" ? "en" : "fr";
  return el(
    "article",
    { class: "card letter" },
    el("h2", { lang: "fr", text: letter.subject }),
    el("p", { class: "note", text: `${t("mailbox_from")} ${letter.sender} · ${t("mailbox_to")} ${letter.to}` }),
    text(letter, first),
    el("details", {}, el("summary", { text: t("mailbox_other") }), text(letter, other)),
  );
}

function draw() {
  translate();
  document.title = `${t("mailbox")} · Consigne`;
  const list = letters.map(shown);
  if (!list.length) list.push(el("p", { class: "card", text: t("mailbox_empty") }));
  document.getElementById("letters").replaceChildren(...list);
}

async function look() {
  try {
    const found = (await (await fetch("/api/letters")).json()).letters;
    if (found.length !== letters.length) {
      letters = found;
      draw();
    }
  } catch {
    return; // the demonstration has ended
  }
  setTimeout(look, LOOK_MS);
}

languageButton(draw);
draw();
look();
