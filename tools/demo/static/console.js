// A small terminal: what the locker's serial console writes, as text with a cursor; what is typed, sent as it is.

import { el } from "./make.js";
import { t } from "./words.js";

const LINES_MAX = 400;
const KEYS = {
  Enter: "\r", Backspace: "\x7f", Tab: "\t", Delete: "\x1b[3~",
  ArrowUp: "\x1b[A", ArrowDown: "\x1b[B", ArrowRight: "\x1b[C", ArrowLeft: "\x1b[D", Home: "\x1b[H", End: "\x1b[F",
};

export class Console {
  constructor(send) {
    this.send = send;
    this.lines = [[]];
    this.column = 0;
    this.pending = "";
    this.text = el("span");
    this.cursor = el("span", { class: "cursor" });
    this.after = el("span");
    this.input = el("textarea", { autocapitalize: "off", autocomplete: "off", spellcheck: "false", rows: 1 });
    this.node = el("div", { class: "console" }, this.text, this.cursor, this.after, this.input);
    this.node.addEventListener("click", () => {
      if (!String(getSelection())) this.input.focus({ preventScroll: true });
    });
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.input.addEventListener("input", () => {
      if (this.input.value) this.send(this.input.value.replaceAll("\n", "\r"));
      this.input.value = "";
    });
  }

  label(name) {
    this.input.setAttribute("aria-label", t("console", { name }));
  }

  clear() {
    this.lines = [[]];
    this.column = 0;
    this.pending = "";
    this.#paint();
  }

  write(text) {
    let rest = this.pending + text;
    this.pending = "";
    while (rest) {
      if (rest[0] === "\x1b") {
        const escape = /^\x1b\[([\d;]*)([A-Za-z~])/.exec(rest);
        if (!escape) {
          if (rest.length < 12 && /^\x1b(\[[\d;]*)?$/.test(rest)) {
            this.pending = rest;
            break;
          }
          rest = rest.slice(1);
          continue;
        }
        this.#escape(escape[2], Number.parseInt(escape[1] || "1", 10), escape[1]);
        rest = rest.slice(escape[0].length);
        continue;
      }
      this.#letter(rest[0]);
      rest = rest.slice(1);
    }
    this.#paint();
  }

  #letter(letter) {
    const line = this.lines[this.lines.length - 1];
    if (letter === "\n") {
      this.lines.push([]);
      if (this.lines.length > LINES_MAX) this.lines.shift();
      this.column = 0;
    } else if (letter === "\r") this.column = 0;
    else if (letter === "\b") this.column = Math.max(0, this.column - 1);
    else if (letter >= " ") {
      while (line.length < this.column) line.push(" ");
      line[this.column] = letter;
      this.column += 1;
    }
  }

  #escape(kind, count, raw) {
    const line = this.lines[this.lines.length - 1];
    if (kind === "C") this.column += count;
    else if (kind === "D") this.column = Math.max(0, this.column - count);
    else if (kind === "G") this.column = Math.max(0, count - 1);
    else if (kind === "K") {
      if (raw === "2") line.length = 0;
      else line.length = Math.min(line.length, this.column);
    } else if (kind === "J" && raw === "2") this.clear();
    else if (kind === "P") line.splice(this.column, count);
  }

  #key(event) {
    if (event.metaKey || event.altKey || event.isComposing) return;
    let text = KEYS[event.key];
    if (event.key === "Tab" && event.shiftKey) return; // the way out, backwards; forwards is Escape
    if (event.key === "Escape") return void this.input.blur();
    if (event.ctrlKey && /^[a-z]$/i.test(event.key)) {
      if (/[cv]/i.test(event.key) && (event.key.toLowerCase() === "v" || String(getSelection()))) return;
      text = String.fromCharCode(event.key.toUpperCase().charCodeAt(0) - 64);
    }
    if (event.key === "Tab") return;
    if (!text) return;
    event.preventDefault();
    this.send(text);
  }

  #paint() {
    const last = this.lines[this.lines.length - 1];
    const before = this.lines.slice(0, -1).map((line) => line.join("")).concat(last.slice(0, this.column).join("").padEnd(this.column));
    this.text.textContent = before.join("\n");
    this.cursor.textContent = last[this.column] ?? " ";
    this.after.textContent = last.slice(this.column + 1).join("");
    this.scroll();
  }

  scroll() {
    this.node.scrollTop = this.node.scrollHeight;
  }
}
