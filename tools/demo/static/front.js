// A locker's front, to scale: every length in the drawing is a millimetre of the cabinet.

import { ICONS, svg } from "./make.js";
import { t } from "./words.js";

const REACH = [400, 1300]; // mm above ground: what a person in a wheelchair reaches
const MARGIN = { left: 250, right: 40, top: 40, ground: 110 };
const PERSON = 560; // width kept beside a narrow locker for somebody of 1.70 m, so that the scale is felt

export class Front {
  constructor(holder, onDoor) {
    this.holder = holder;
    this.onDoor = onDoor;
    this.places = new Map();
  }

  draw(hardware) {
    this.places.clear();
    const width = hardware.width_mm;
    const height = hardware.height_mm;
    this.height = height;
    const roomy = !matchMedia("(max-width: 760px)").matches && !document.body.classList.contains("touring");
    const beside = width < 1300 && roomy ? PERSON : 0;
    const picture = svg("svg", {
      viewBox: `${-MARGIN.left} ${-MARGIN.top} ${width + MARGIN.left + MARGIN.right + beside} ${height + MARGIN.top + MARGIN.ground}`,
      role: "group",
      "aria-label": t("front_title", { name: hardware.name }),
    });
    picture.append(svg("line", { class: "ground", x1: -MARGIN.left, x2: width + MARGIN.right + beside, y1: height + 6, y2: height + 6 }));
    picture.append(this.#rule(height));
    picture.append(svg("rect", { class: "shell", x: -22, y: -22, width: width + 44, height: height + 28, rx: 14 }));
    if (beside) picture.append(person(width + 290, height));
    const reach = svg("rect", { class: "reach", x: -MARGIN.left, width: MARGIN.left - 22, y: height - REACH[1], height: REACH[1] - REACH[0] });
    picture.append(reach, svg("text", { class: "reach-note", transform: `translate(${-MARGIN.left + 36} ${height - (REACH[0] + REACH[1]) / 2}) rotate(-90)`, text: t("reach") }));
    for (const module of hardware.modules) picture.append(this.#module(module, hardware));
    picture.append(machine(hardware.panel, height));
    this.holder.replaceChildren(picture);
  }

  #rule(height) {
    const marks = svg("g", { class: "rule", "aria-hidden": "true" });
    for (let up = 0; up <= height; up += 100) {
      const long = up % 500 === 0;
      marks.append(svg("line", { x1: long ? -78 : -58, x2: -36, y1: height - up, y2: height - up }));
      if (long && up) marks.append(svg("text", { x: -86, y: height - up + 13, text: `${(up / 1000).toLocaleString(document.documentElement.lang)} m` }));
    }
    return marks;
  }

  #module(module, hardware) {
    const group = svg("g", { transform: `translate(${module.x_mm} 0)` });
    group.append(svg("rect", { class: "module", x: 4, y: 4, width: module.width_mm - 8, height: hardware.height_mm - 8, rx: 6 }));
    group.append(svg("text", { class: "module-name", x: module.width_mm / 2, y: hardware.height_mm + 78, text: module.name }));
    for (const place of module.compartments) {
      group.append(this.#place(place, place.x_mm - module.x_mm, hardware.height_mm - place.y_mm - place.height_mm));
    }
    return group;
  }

  #place(place, x, y) {
    const [w, h] = [place.width_mm, place.height_mm];
    const number = Math.max(30, Math.min(76, h * 0.6, w * 0.2));
    const name = Math.max(26, Math.min(42, h * 0.46, w * 0.105));
    const mark = Math.min(58, h * 0.5);
    const textX = 40 + number * 1.22;
    const node = svg("g", { class: "place unknown", transform: `translate(${x} ${y})`, tabindex: place.number === 1 ? "0" : "-1", role: "button" });
    node.style.setProperty("--number", `${number}px`);
    node.style.setProperty("--name", `${name}px`);
    const title = svg("title");
    const path = svg("path", { class: "icon", "fill-rule": "evenodd", transform: `translate(${textX} ${(h - mark) / 2}) scale(${mark / 24})` });
    const word = svg("text", { class: "state-name", x: textX + mark + 12, y: h / 2 + name * 0.35 });
    node.append(
      title,
      svg("rect", { class: "inside", x: 5, y: 5, width: w - 10, height: h - 10, rx: 4 }),
      svg("rect", { class: "shelf", x: 5, y: h - 20, width: w - 10, height: 15 }),
      parcelBox(w, h),
      svg("text", { class: "number inner", x: w * 0.3, y: h / 2 + number * 0.36, text: place.number }),
      svg(
        "g",
        { class: "leaf" },
        svg("rect", { class: "skin", x: 6, y: 6, width: w - 12, height: h - 12, rx: 5 }),
        svg("rect", { class: "band", x: 6, y: 6, width: 16, height: h - 12, rx: 4 }),
        svg("text", { class: "number", x: 36, y: h / 2 + number * 0.36, text: place.number }),
        path,
        word,
        place.accessible ? svg("path", { class: "icon access", d: ICONS.accessible, "fill-rule": "evenodd", transform: `translate(${w - 60} ${h > 160 ? 18 : h / 2 - 20}) scale(1.75)` }) : null,
      ),
      svg("rect", { class: "ring", x: 6, y: 6, width: w - 12, height: h - 12, rx: 5 }),
    );
    const press = () => this.onDoor(place.number);
    node.addEventListener("click", press);
    node.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        press();
      } else if (event.key.startsWith("Arrow")) {
        event.preventDefault();
        this.#walk(place, event.key.slice(5));
      }
    });
    this.places.set(place.number, { node, title, path, word, place, box: node.querySelector(".parcel-box") });
    return node;
  }

  // One stop for the Tab key; the arrows go on to the nearest door that way.
  #walk(from, way) {
    const [dx, dy] = { Left: [-1, 0], Right: [1, 0], Up: [0, 1], Down: [0, -1] }[way];
    const middle = (place) => [place.x_mm + place.width_mm / 2, place.y_mm + place.height_mm / 2];
    const [x, y] = middle(from);
    let best = null;
    let least = Infinity;
    for (const { node, place } of this.places.values()) {
      const [px, py] = middle(place);
      const along = (px - x) * dx + (py - y) * dy;
      const across = Math.abs((px - x) * dy) + Math.abs((py - y) * dx);
      if (along > 1 && along + 3 * across < least) [best, least] = [node, along + 3 * across];
    }
    if (!best) return;
    for (const { node } of this.places.values()) node.setAttribute("tabindex", node === best ? "0" : "-1");
    best.focus();
  }

  show(number, door) {
    const held = this.places.get(number);
    if (!held) return;
    const state = door.door === "open" ? "open" : door.state;
    const word = t(state === "out" ? "state_out_short" : `state_${state}`);
    held.node.setAttribute("class", `place ${state}${door.door === "open" ? " is-open" : ""}${door.jammed ? " is-jammed" : ""}${door.chosen ? " is-chosen" : ""}`);
    held.path.setAttribute("d", ICONS[state] ?? ICONS.unknown);
    held.word.textContent = word;
    held.box.toggleAttribute("hidden", !["held", "revoked", "depositing"].includes(door.state));
    const says = `${t("door", { n: number })}, ${t(door.door === "open" ? "door_open" : "door_closed")}, ${t(`state_${door.state}`)}${held.place.accessible ? `, ${t("state_accessible")}` : ""}`;
    held.node.setAttribute("aria-label", says);
    held.title.textContent = `${says} (${held.place.size})`;
  }

  pulse(number) {
    const held = this.places.get(number);
    if (!held) return;
    held.node.classList.add("is-pulsed");
    setTimeout(() => held.node.classList.remove("is-pulsed"), 650);
  }
}

function person(x, height) {
  const body = "M-70 0 L-95 -800 L-150 -790 Q-190 -1080 -175 -1280 Q-165 -1400 -60 -1405 L60 -1405 Q165 -1400 175 -1280 Q190 -1080 150 -790 L95 -800 L70 0 L14 0 L0 -720 L-14 0 Z";
  return svg("g", { class: "person", "aria-hidden": "true", transform: `translate(${x} ${height})` }, svg("path", { d: body }), svg("ellipse", { cy: -1560, rx: 105, ry: 135 }));
}

function parcelBox(w, h) {
  const wide = Math.min(w * 0.46, 300);
  const high = Math.min(h * 0.62, 220);
  const x = w * 0.68 - wide / 2;
  const y = h - 20 - high;
  return svg(
    "g",
    { class: "parcel-box", hidden: true },
    svg("rect", { class: "box", x, y, width: wide, height: high, rx: 4 }),
    svg("rect", { class: "box-tape", x: x + wide / 2 - 14, y, width: 28, height: high }),
  );
}

function machine(panel, height) {
  const top = height - panel.y_mm - panel.height_mm;
  const middle = panel.x_mm + panel.width_mm / 2;
  const group = svg("g", { "aria-hidden": "true" });
  group.append(svg("rect", { class: "machine-face", x: panel.x_mm + 10, y: top + 8, width: panel.width_mm - 20, height: panel.height_mm - 16, rx: 10 }));
  const scale = Math.min(1, (panel.height_mm - 60) / 400);
  const from = top + panel.height_mm / 2 - 200 * scale;
  group.append(svg("rect", { class: "machine-lcd", x: middle - 105 * scale, y: from, width: 210 * scale, height: 84 * scale, rx: 6 }));
  group.append(svg("rect", { class: "machine-scan", x: middle - 70 * scale, y: from + 110 * scale, width: 140 * scale, height: 16 * scale, rx: 5 }));
  for (let key = 0; key < 16; key += 1) {
    const x = middle + (-104 + (key % 4) * 54) * scale;
    const y = from + (156 + Math.floor(key / 4) * 62) * scale;
    group.append(svg("rect", { class: "machine-key", x, y, width: 46 * scale, height: 50 * scale, rx: 7 }));
  }
  return group;
}
