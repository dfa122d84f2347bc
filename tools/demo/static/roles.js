// Three parts to play. Each is a list of numbered steps; a step carries its own button and is ticked when done.

import { el, groups, icon, qr } from "./make.js";
import { language, locale, t } from "./words.js";

const SIZES = ["S", "M", "L"];
const PARCEL_LOOK = { expected: "unknown", reserved: "reserved", deposited: "held", collected: "free", expired: "revoked", taken_back: "out", disputed: "fault" };

const act = (word, onclick, plain = false) => el("button", { type: "button", class: plain ? "act plain" : "act", onclick, text: t(word) });

// A step that is one press: its button stands beside its words.
const oneAct = (word, done, button) => el("li", { class: done ? "one done" : "one" }, el("h3", { text: t(word) }), button);

function step(word, done, ...children) {
  return el("li", { class: done ? "done" : null }, el("h3", { text: t(word) }), children);
}

function enlarge(picture, title) {
  const dialog = el("dialog", {}, el("h2", { text: title }), qr(picture, title), el("p", {}, act("close", () => dialog.close())));
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
}

function ticket(item, title, note) {
  const node = el(
    "div",
    { class: `ticket ${item.kind === "label" ? "held" : ""}`, draggable: "true" },
    el("button", { type: "button", class: "zoom", "aria-label": t("enlarge"), onclick: () => enlarge(item.qr, title) }, qr(item.qr, title)),
    el("div", {}, el("b", { text: title }), el("span", { class: "note", text: note })),
  );
  node.addEventListener("dragstart", (event) => event.dataTransfer.setData("text/plain", item.text));
  return node;
}

export function courier(node, game, acts) {
  const carrier = el("select", { "aria-label": t("c1") }, game.carriers.map((one) => el("option", { value: one.id, text: one.name })));
  carrier.value = game.carrier;
  carrier.addEventListener("change", () => (game.carrier = carrier.value));
  const size = el(
    "div",
    { class: "segments", role: "radiogroup", "aria-label": t("size") },
    SIZES.map((one) => {
      const input = el("input", { type: "radio", name: "size", value: one, onchange: () => (game.size = one) });
      input.checked = game.size === one;
      return el("label", {}, input, one);
    }),
  );
  const wish = el("input", { type: "checkbox", onchange: (event) => (game.accessible = event.target.checked) });
  wish.checked = game.accessible;
  const { badge, label } = game;
  const open = acts.openDoor();
  node.replaceChildren(
    el(
      "ol",
      { class: "steps" },
      step(
        "c1",
        badge,
        el("div", { class: "row" }, carrier, act("c1_do", acts.getBadge, Boolean(badge))),
        badge && ticket(badge, t("badge_of", { carrier: badge.carrier_name }), t("valid_until", { date: new Date(badge.expires_at).toLocaleDateString(locale()) })),
      ),
      step(
        "c2",
        label,
        el("div", { class: "row" }, size, act("c2_do", acts.newParcel, Boolean(label))),
        el("label", { class: "tick" }, wish, t("accessible_wish")),
        label && ticket(label, label.text, t("label_of", { size: label.size, locker: acts.nameOf(label.locker) })),
      ),
      oneAct("c3", game.did.badge, disabled(act("show", () => acts.show(badge.text), Boolean(game.did.badge)), !badge)),
      oneAct("c4", game.did.label, disabled(act("show", () => acts.show(label.text), Boolean(game.did.label)), !label)),
      step(
        "c5",
        game.did.deposited,
        el("p", { class: "note", text: t("c5_note") }),
        open && el("div", { class: "row" }, el("button", { type: "button", class: "act", onclick: () => acts.push(open), text: t("push_n", { n: open }) })),
      ),
      oneAct("c6", game.did.left, act("c6_do", acts.leave, !game.did.deposited || game.did.left)),
    ),
  );
}

function disabled(button, when) {
  button.disabled = Boolean(when);
  return button;
}

function parcelCard(parcel, game, acts) {
  const look = PARCEL_LOOK[parcel.state] ?? "unknown";
  const place = parcel.compartment && parcel.state !== "expected"
    ? t("parcel_at", { locker: acts.nameOf(parcel.locker), n: parcel.compartment })
    : t("parcel_for", { locker: acts.nameOf(parcel.locker) });
  const card = el(
    "article",
    { class: `parcel ${parcel.id === game.picked ? "is-picked" : ""}` },
    el("header", {}, el("b", { text: parcel.recipient ?? parcel.label }), el("span", { class: `chip ${look}` }, icon(look), t(`p_${parcel.state}`))),
    el("p", { class: "note", text: `${parcel.label} · ${parcel.size} · ${place}` }),
  );
  if (parcel.pickup) {
    const { code, text, qr: picture } = parcel.pickup;
    card.append(
      el("div", { class: "ticket", draggable: "true" },
        el("button", { type: "button", class: "zoom", "aria-label": t("enlarge"), onclick: () => enlarge(picture, parcel.label) }, qr(picture, "QR")),
        el("div", {}, el("div", { class: "code" }, groups(code).map((three) => el("span", { text: three }))), el("span", { class: "note", text: place })),
      ),
    );
    card.querySelector(".ticket").addEventListener("dragstart", (event) => event.dataTransfer.setData("text/plain", text));
    for (const one of game.hand) {
      if (one.kind === "delegate" && one.parcel === parcel.id) card.append(ticket(one, t("qr_of", one), t("k_neighbour_note")));
    }
    if (parcel.id === game.picked) {
      card.append(
        el("div", { class: "row" },
          act("k_neighbour", () => acts.sendNeighbour(parcel), true),
          act("k_replace", () => acts.replaceCode(parcel), true),
          el("a", { class: "act plain", href: `/api/parcels/${parcel.id}/slip?language=${language()}`, target: "_blank", text: t("k_slip") }),
        ),
      );
    }
  }
  return card;
}

export function customer(node, game, acts) {
  const waiting = game.parcels.filter((parcel) => parcel.pickup);
  const here = waiting.find((parcel) => parcel.locker === acts.lockerId());
  const parcel = here ?? waiting[0];
  const elsewhere = parcel && !here;
  game.picked = parcel?.id;
  const open = acts.openDoor();
  const rest = game.parcels.filter((one) => one !== parcel).slice(0, 4);
  node.replaceChildren(
    el(
      "ol",
      { class: "steps" },
      step("k1", waiting.length, parcel ? parcelCard(parcel, game, acts) : el("p", { class: "empty", text: t("k1_empty") })),
      step(
        "k2",
        game.did.pickup,
        el("p", { class: "note", text: elsewhere ? t("elsewhere") : t("k2_note") }),
        elsewhere
          ? el("div", { class: "row" }, el("button", { type: "button", class: "act", onclick: () => acts.goTo(parcel.locker), text: t("show_it", { locker: acts.nameOf(parcel.locker) }) }))
          : el("div", { class: "row" }, disabled(act("k2_type", () => acts.type(parcel.pickup.code)), !parcel), disabled(act("k2_show", () => acts.show(parcel.pickup.text), true), !parcel)),
      ),
      step(
        "k3",
        game.did.collected,
        open && el("p", { class: "note", text: t("k3_note") }),
        open && el("div", { class: "row" }, el("button", { type: "button", class: "act", onclick: () => acts.push(open), text: t("push_n", { n: open }) })),
      ),
      step(
        "k4",
        game.did.collected,
        game.did.collected && el("p", { class: "note", text: t("k4_note") }),
        game.did.collected && game.last?.locker === acts.lockerId() && el("div", { class: "row" }, act("k4_do", () => acts.type(game.last.code), true)),
        rest.map((one) => parcelCard(one, game, acts)),
      ),
    ),
  );
}

export function technician(node, game, acts, console) {
  const name = el("input", { value: game.technician, "aria-label": t("t_name"), size: 8, maxlength: 32 });
  name.addEventListener("input", () => (game.technician = name.value));
  const chip = (line) => el("button", { type: "button", text: line, onclick: () => acts.order(line) });
  const chosen = acts.chosenDoor() ?? 1;
  node.replaceChildren(
    el(
      "ol",
      { class: "steps" },
      step("t1", false, el("p", { class: "note", text: t("t1_note") }), el("div", { class: "chips" }, ["help", "status", "doors", "net", "time", "journal"].map(chip)), console.node),
      step(
        "t2",
        game.did.login,
        el("p", { class: "note", text: t("t2_note") }),
        el("div", { class: "row" }, name, act("t2_do", acts.login), act("t2_badge", acts.technicianBadge, true)),
        el("div", { class: "chips" }, [`open ${chosen}`, "selftest", "reboot", "logout"].map(chip)),
      ),
      step("t3", false, el("p", { class: "note", text: t("t3_note") })),
    ),
  );
}
