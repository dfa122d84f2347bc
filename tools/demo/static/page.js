// The page: what the server tells goes into `stage`, what people do goes back to it, and the parts redraw.

import { Console } from "./console.js";
import { Front } from "./front.js";
import { el, icon } from "./make.js";
import { beep, faults, keypad, Scanner, screen } from "./panel.js";
import { languageButton } from "./language.js";
import { courier, customer, technician } from "./roles.js";
import { drawTour, tourHere } from "./tour.js";
import { has, language, locale, t, translate } from "./words.js";

const byId = (id) => document.getElementById(id);
const LEGEND = ["free", "reserved", "held", "open", "revoked", "fault", "out", "accessible"];
const LOG_MAX = 200;

const stage = { lockers: [], live: {}, current: null, chosen: {} };
const game = {
  carriers: [], carrier: "", size: "M", accessible: false, badge: null, label: null,
  hand: [], parcels: [], picked: null, technician: "camille", last: null, did: {},
};
let role = "courier";
let loud = false;
const tour = { role: tourHere(), steps: [], done: [], busy: false };

// ------------------------------------------------------------------ talking to the server
async function call(path, body) {
  let answer;
  try {
    answer = await fetch(path, body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  } catch {
    notice(t("lost"));
    throw new Error("unreachable");
  }
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    notice(said.error ?? answer.statusText);
    throw new Error(said.error ?? answer.statusText);
  }
  return said;
}

let queue = Promise.resolve(); // keys and console bytes arrive in the order they were typed
const inOrder = (path, body) => (queue = queue.then(() => call(path, body)).catch(() => {}));
const here = (path) => `/api/lockers/${stage.current}/${path}`;
const order = (what) => inOrder(here("do"), what);

function notice(text) {
  const node = byId("notice");
  node.textContent = text;
  node.hidden = false;
  clearTimeout(notice.timer);
  notice.timer = setTimeout(() => (node.hidden = true), 6000);
}

// ------------------------------------------------------------------ what people can do
const acts = {
  async getBadge() {
    game.badge = await call("/api/badges", { carrier: game.carrier });
    game.did = {};
    keep(game.badge);
  },
  async newParcel() {
    game.label = await call("/api/parcels", { locker: stage.current, size: game.size, accessible: game.accessible, carrier: game.badge?.carrier ?? game.carrier });
    game.did.label = game.did.deposited = game.did.left = false;
    keep(game.label);
    await parcels();
  },
  show(text) {
    scanner.choose(text);
    scanner.flash();
    if (text === game.badge?.text) game.did.badge = true;
    if (text === game.label?.text) game.did.label = true;
    order({ do: "scan", text });
    drawRole();
  },
  type(keys) {
    game.last = { code: keys, locker: stage.current };
    order({ do: "keys", keys });
  },
  leave() {
    game.did.left = true;
    order({ do: "keys", keys: "*" });
    drawRole();
  },
  pull: (compartment) => order({ do: "pull", compartment }),
  cable: (cut) => order({ do: "cable", cut }),
  push: (compartment) => order({ do: "push", compartment }),
  order: (line) => inOrder(here("console"), { text: `${line}\r` }),
  async login() {
    game.did.login = (await call(here("login"), { name: game.technician })).ok;
    drawRole();
  },
  async sendNeighbour(parcel) {
    keep(await call(`/api/parcels/${parcel.id}/neighbour`, {}));
  },
  async replaceCode(parcel) {
    await call(`/api/parcels/${parcel.id}/code`, {});
    await parcels();
  },
  async technicianBadge() {
    keep(await call("/api/technicians", { name: game.technician.toLowerCase() }));
  },
  openDoor: () => Object.values(now().doors).find((door) => door.door === "open")?.number,
  chosenDoor: () => stage.chosen[stage.current],
  lockerId: () => stage.current,
  nameOf: (id) => stage.lockers.find((locker) => locker.id === id)?.name ?? id,
  goTo: (id) => show(id),
  async bring() {
    tour.busy = true;
    drawRole();
    try {
      await call(here("delivery"), {});
    } finally {
      tour.busy = false;
      drawRole();
    }
  },
  async again() {
    Object.assign(tour, await call(`/api/tours/${tour.role}`, {}));
    await pack();
    drawRole();
  },
};

// ------------------------------------------------------------------ a guided tour
const BADGES = { courier: "colis-bleu", merchant: "fleurs-du-pont" };

// What the role of the tour needs in its hands, if it is not there yet.
async function pack() {
  const { role } = tour;
  const carrier = BADGES[role];
  if (carrier && !my().badge) keep(await call("/api/badges", { carrier }));
  if (role === "technician" && !my().badge) await acts.technicianBadge();
  if (role === "courier" && !my().label) keep(await call("/api/parcels", { locker: stage.current, size: "M", carrier }));
  await parcels();
}

function my() {
  const { role } = tour;
  const carrier = BADGES[role];
  const last = (test) => game.hand.filter(test).at(-1);
  const doors = Object.values(now().doors);
  const waiting = game.parcels.filter((one) => one.pickup);
  const coming = new Set(game.parcels.filter((one) => ["expected", "reserved"].includes(one.state)).map((one) => one.id));
  const badge = last((item) => (role === "technician" ? item.kind === "technician" : item.kind === "badge" && item.carrier === carrier));
  const labels = (item) => item.kind === "label" && (role === "merchant") === (item.merchant === BADGES.merchant);
  const fresh = last((item) => labels(item) && (coming.has(item.parcel) || !game.parcels.some((one) => one.id === item.parcel)));
  const label = tour.done.includes("put_in") ? last(labels) : fresh;
  return {
    badge,
    label,
    lies: game.parcels.some((one) => one.id === label?.parcel && ["deposited", "collected"].includes(one.state)),
    waiting: waiting.find((one) => one.locker === stage.current) ?? waiting[0],
    free: doors.find((door) => door.state === "free" && door.door === "closed")?.number,
    broken: doors.find((door) => door.state === "fault")?.number,
    busy: tour.busy,
    shows: { badge, label, put_in: role === "merchant" ? label : null },
  };
}

function drawGuide() {
  const mine = my();
  const key = JSON.stringify([tour, mine, stage.current, acts.openDoor() ?? 0]);
  redraw(byId("tour"), key, () => drawTour(byId("tour"), tour, mine, acts, tour.role === "technician" ? serial.node : null));
}

function keep(item) {
  game.hand.push(item);
  fillHand();
  scanner.choose(item.text);
  drawRole();
}

function fillHand() {
  const titles = {
    badge: (item) => t("badge_of", { carrier: item.carrier_name }),
    label: (item) => item.text,
    delegate: (item) => t("qr_of", item),
    technician: (item) => t("badge_of_technician", item),
  };
  const hand = game.hand.map((item) => ({ text: item.text, title: titles[item.kind](item) }));
  for (const parcel of game.parcels) {
    if (parcel.pickup) hand.push({ text: parcel.pickup.text, title: `QR ${parcel.label}` });
  }
  scanner.fill(hand);
}

async function parcels() {
  game.parcels = (await call("/api/parcels")).parcels;
  fillHand();
  drawRole();
}

// ------------------------------------------------------------------ drawing
const front = new Front(byId("front"), (number) => {
  if (now().doors[number]?.door === "open") acts.push(number);
  stage.chosen[stage.current] = number;
  drawDoors();
  drawDoor();
  if (role === "technician") drawRole();
});
const serial = new Console((text) => inOrder(here("console"), { text }));
const scanner = new Scanner(byId("scan"), byId("slot"), (text) => acts.show(text));
keypad(byId("keypad"), (key) => order({ do: "keys", keys: key }));

const now = () => stage.live[stage.current] ?? { doors: {}, screen: [], qr: "", powered: true, link: "", cable: "none" };

function drawDoors() {
  for (const door of Object.values(now().doors)) front.show(door.number, { ...door, chosen: door.number === stage.chosen[stage.current] });
}

// Redraw only what changed, and leave the keyboard's focus where it was.
function redraw(node, key, draw) {
  const fresh = `${language()} ${key}`;
  if (node.dataset.key === fresh) return;
  node.dataset.key = fresh;
  const controls = () => [...node.querySelectorAll("button, input, select, textarea")];
  const focused = controls().indexOf(document.activeElement);
  draw();
  if (focused >= 0) controls()[focused]?.focus({ preventScroll: true });
}

function drawDoor() {
  const number = stage.chosen[stage.current];
  const door = now().doors[number];
  const key = door ? [stage.current, number, door.door, door.state, door.jammed, door.stuck].join() : "";
  redraw(byId("door"), key, () => drawChosen(byId("door"), number, door));
}

function drawChosen(node, number, door) {
  if (!door) return void node.replaceChildren(el("p", { class: "note", text: t("choose_door") }));
  const place = hardwareOf(number);
  const button = (word, what, on) => el("button", { type: "button", class: "act plain", "aria-pressed": on === undefined ? null : String(on), onclick: what, text: t(word) });
  const flag = (word, does, on) => button(word, () => order({ do: does, compartment: number, on: !on }), Boolean(on));
  const ask = (what) => () => call(here(`compartments/${number}/${what}`), {});
  const open = door.door === "open";
  node.replaceChildren(
    el("h3", {}, `${t("door", { n: number })} · ${t(open ? "door_open" : "door_closed")}, ${t(`state_${door.state}`)}`,
      el("small", { text: t("door_size", { size: place.size, w: place.width_mm, h: place.height_mm, d: place.depth_mm }) })),
    el("div", { class: "row" },
      open ? button("push", () => acts.push(number)) : button("pull", () => order({ do: "pull", compartment: number })),
      flag("jam", "jam", door.jammed),
      flag("stick", "stick", door.stuck),
      button("remote_open", ask("open")),
      door.state === "out" ? button("put_back", ask("back")) : button("take_out", ask("out")),
      ["fault", "revoked"].includes(door.state) ? button("release", ask("release")) : null,
    ),
  );
}

function hardwareOf(number) {
  const { hardware } = stage.lockers.find((locker) => locker.id === stage.current);
  return hardware.modules.flatMap((module) => module.compartments).find((place) => place.number === number);
}

function drawLight() {
  const live = now();
  const word = !live.powered ? "unpowered" : live.online ? "online" : "offline";
  byId("light").className = `light ${{ online: "on", unpowered: "off" }[word] ?? ""}`;
  byId("light").textContent = t(word);
}

function drawPanel() {
  screen(byId("screen"), now());
  byId("mini").textContent = now().powered ? now().screen.map((line) => line.trim()).filter(Boolean).join(" · ") : "";
  redraw(byId("faults"), `${now().cable} ${now().powered}`, () => faults(byId("faults"), now(), order));
  drawLight();
}

function drawRole() {
  if (tour.role) return void drawGuide();
  const parts = {
    courier: () => courier(byId("courier"), game, acts),
    customer: () => customer(byId("customer"), game, acts),
    technician: () => technician(byId("technician"), game, acts, serial),
  };
  const key = JSON.stringify([game, stage.current, acts.openDoor() ?? 0, acts.chosenDoor() ?? 0]);
  redraw(byId(role), key, parts[role]);
  if (role === "technician") serial.scroll();
}

function drawTabs() {
  const names = ["courier", "customer", "technician"];
  const pick = (name) => {
    role = name;
    for (const one of names) {
      byId(one).hidden = one !== role;
      const tab = byId(`tab-${one}`);
      tab.setAttribute("aria-selected", String(one === role));
      tab.tabIndex = one === role ? 0 : -1;
    }
    drawRole();
  };
  byId("tabs").replaceChildren(
    ...names.map((name, place) =>
      el("button", {
        type: "button", role: "tab", id: `tab-${name}`, "aria-controls": name, onclick: () => pick(name),
        onkeydown: (event) => {
          const turn = { ArrowRight: 1, ArrowLeft: 2 }[event.key];
          if (!turn) return;
          const next = names[(place + turn) % 3];
          pick(next);
          byId(`tab-${next}`).focus();
        },
      }, icon(name), t(name)),
    ),
  );
  pick(role);
}

function drawLockers() {
  byId("lockers").replaceChildren(
    ...stage.lockers.map((locker) =>
      el("button", { type: "button", role: "radio", "aria-checked": String(locker.id === stage.current), onclick: () => show(locker.id) },
        el("b", { text: locker.name }),
        el("span", { text: t("doors_count", { n: locker.hardware.modules.reduce((sum, module) => sum + module.compartments.length, 0) }) })),
    ),
  );
}

function show(id) {
  stage.current = id;
  const { hardware, name } = stage.lockers.find((locker) => locker.id === id);
  byId("front-title").textContent = t("front_title", { name });
  front.draw(hardware);
  serial.clear();
  serial.write(now().console ?? "");
  serial.label(name);
  drawLockers();
  drawDoors();
  drawDoor();
  drawPanel();
  drawRole();
}

function drawAll() {
  translate();
  byId("legend").replaceChildren(...LEGEND.map((state) => el("li", { class: state }, icon(state), t(`state_${state}`))));
  drawTabs();
  show(stage.current);
  fillHand();
}

// ------------------------------------------------------------------ what the server tells
function say(text, kind = "") {
  const list = byId("log");
  list.prepend(el("li", {}, el("time", { text: new Date().toLocaleTimeString(locale()) }), el("span", { class: kind, text })));
  while (list.children.length > LOG_MAX) list.lastChild.remove();
}

function of(locker, what) {
  return t("l_of", { whose: acts.nameOf(locker), what });
}

const CONSOLE_KEPT = 40_000;
const heard = {
  state(locker, news) {
    const live = stage.live[locker];
    Object.assign(live, { powered: news.powered, link: news.link, online: news.online, screen: news.screen, qr: news.qr, cable: news.cable });
    for (const door of news.compartments) live.doors[door.number] = { ...live.doors[door.number], ...door };
  },
  books(locker, news) {
    for (const place of news.compartments) {
      const door = (stage.live[locker].doors[place.number] ??= { number: place.number, door: "closed" });
      door.state = place.state;
    }
  },
  door(locker, news) {
    stage.live[locker].doors[news.compartment].door = news.door;
    say(of(locker, t(`l_door_${news.door}`, { n: news.compartment })));
  },
  pulse(locker, news) {
    if (locker === stage.current) front.pulse(news.compartment);
    say(of(locker, t("l_pulse", { n: news.compartment, ms: Math.round(news.ms) })));
  },
  screen(locker, news) {
    stage.live[locker].screen = news.lines;
  },
  qr(locker, news) {
    stage.live[locker].qr = news.picture;
  },
  beep(locker, news) {
    if (loud && locker === stage.current) beep(news.hz);
  },
  power(locker, news) {
    stage.live[locker].powered = news.on;
    say(of(locker, t(news.on ? "l_power_on" : "l_power_off")), news.on ? "" : "bad");
  },
  console(locker, news) {
    const live = stage.live[locker];
    live.console = ((live.console ?? "") + news.text).slice(-CONSOLE_KEPT);
    if (locker === stage.current) serial.write(news.text);
  },
  tour(_, news) {
    if (news.role !== tour.role) return;
    const fresh = news.done.find((name) => !tour.done.includes(name));
    tour.done = news.done;
    if (fresh) byId("ticked").textContent = t("tour_ticked", { step: t(`${tour.role}_${fresh}`) });
    drawRole();
  },
  parcels(_, news) {
    game.hand = news.hand;
    parcels();
  },
  event(locker, news) {
    const name = has(`b_${news.type}`) ? t(`b_${news.type}`) : news.type;
    const door = news.compartment ? `, ${t("at_door", { n: news.compartment })}` : "";
    const what = news.why ? t("l_of", { whose: name + door, what: news.why }) : name + door;
    say(of(locker, `${what} (${t("in_books", { seq: news.seq })})`), ["DoorFaulted", "CodeRefused"].includes(news.type) ? "bad" : "book");
    if (news.type === "Deposited") game.did.deposited = true;
    if (news.type === "PickupAuthorised") Object.assign(game.did, { pickup: true, collected: false });
    if (news.type === "Collected") game.did.collected = true;
    if (["Deposited", "Collected", "DepositAuthorised", "CommandDone"].includes(news.type)) parcels();
  },
};

function listen() {
  const feed = new EventSource("/api/feed");
  feed.onmessage = (message) => {
    const { locker, event, ...news } = JSON.parse(message.data);
    heard[event]?.(locker, news);
    if (locker !== stage.current) return;
    if (["screen", "qr", "state", "power"].includes(event)) drawPanel();
    if (["door", "state", "books"].includes(event)) {
      drawDoors();
      drawDoor();
    }
    if (event === "door" || event === "event") drawRole();
  };
  feed.onerror = () => notice(t("lost"));
}

byId("sound").addEventListener("click", (event) => {
  loud = !loud;
  event.currentTarget.setAttribute("aria-pressed", String(loud));
});

const opening = await call("/api/stage");
stage.lockers = opening.lockers;
stage.current = opening.lockers[0].id;
for (const locker of opening.lockers) stage.live[locker.id] = { doors: {}, screen: [], qr: "", powered: true, online: false, cable: "none", console: locker.console };
game.carriers = opening.carriers;
game.carrier = opening.carriers[0].id;
game.hand = opening.hand;
game.badge = opening.hand.filter((item) => item.kind === "badge").at(-1) ?? null;
languageButton(drawAll);
if (tour.role) {
  Object.assign(tour, await call(`/api/tours/${tour.role}`));
  document.body.classList.add("touring");
  byId("tour").hidden = false;
  byId("beside").hidden = tour.role === "technician"; // who has no pages, but a console
  document.body.classList.toggle("alone", byId("beside").hidden);
  byId("roles").hidden = true;
  document.querySelector("main").prepend(document.querySelector("section.roles"), byId("beside"));
  for (const link of document.querySelectorAll("a[href='#roles']")) link.setAttribute("href", "#tour");
}
drawAll();
await (tour.role ? pack() : parcels());
listen();
