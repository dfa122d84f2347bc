// A guided tour beside the locker's front: its steps, what each needs at hand, and ticks as things really happen.

import { el, icon, qr } from "./make.js";
import { language, t } from "./words.js";

const FRAME = "consigne-pages"; // where the gateway's pages are shown, beside the front
const ICON = { recipient: "customer" };

/** Which tour this address is, or "". */
export const tourHere = () => /^\/tour\/([a-z]+)$/.exec(location.pathname)?.[1] ?? "";

// Something is opened in the frame; on a phone it is below: go there.
function lookThere() {
  document.getElementById("pages-empty").hidden = true;
  if (matchMedia("(max-width: 760px)").matches) document.getElementById("beside").scrollIntoView();
}

// One click signs in as a role and opens `next` in the frame. A form, so that nothing stands in an address.
function opens(word, role, next, plain, fill = {}) {
  const here = `${next}${next.includes("?") ? "&" : "?"}lang=${language()}`;
  return el(
    "form",
    { method: "post", onsubmit: lookThere, action: "/sign-in", target: FRAME },
    el("input", { type: "hidden", name: "role", value: role }),
    el("input", { type: "hidden", name: "next", value: here }),
    el("button", { class: plain ? "act plain" : "act" }, t(word, fill)),
  );
}

const follow = (word, href, plain) =>
  el("a", { class: plain ? "act plain" : "act", href, target: FRAME, onclick: lookThere }, t(word));

function button(word, onclick, plain, ready = true, fill = {}) {
  const made = el("button", { type: "button", class: plain ? "act plain" : "act", onclick, text: t(word, fill) });
  made.disabled = !ready;
  return made;
}

const closes = (acts, plain) => {
  const open = acts.openDoor();
  return open ? [button("push_n", () => acts.push(open), plain, true, { n: open })] : [];
};

// What lies, or is to be put in, at the other locker: show that one first.
const there = (locker, acts, plain, otherwise) =>
  locker && locker !== acts.lockerId() ? [button("show_it", () => acts.goTo(locker), plain, true, { locker: acts.nameOf(locker) })] : otherwise;

// Role -> step -> what helps to do it. `my`: what this role has in its hands; `plain`: not the next step.
const HELPS = {
  courier: {
    sign_in: (my, acts, plain) => [opens("open_round", "courier", "/courier", plain)],
    keep: (my, acts, plain) => [opens("open_round", "courier", `/courier/lockers/${my.label?.locker ?? acts.lockerId()}`, plain)],
    badge: (my, acts, plain) => [button("do_badge", () => acts.show(my.badge.text), plain, my.badge)],
    label: (my, acts, plain) => there(my.label?.locker, acts, plain, [button("do_label", () => acts.show(my.label.text), plain, my.label)]),
    put_in: (my, acts, plain) => closes(acts, plain),
    proof: (my, acts, plain) => (my.label && my.lies ? [opens("open_proof", "courier", `/courier/proofs/${my.label.parcel}`, plain)] : []),
  },
  recipient: {
    brought: (my, acts, plain) => [button(my.busy ? "tour_wait" : "do_bring", acts.bring, plain, !my.busy)],
    letter: (my, acts, plain) => [follow("open_mailbox", "/mailbox", plain)],
    page: (my, acts, plain) => [follow("open_mailbox", "/mailbox", plain)],
    code: (my, acts, plain) =>
      there(my.waiting?.locker, acts, plain, [
        button("k2_type", () => acts.type(`*${my.waiting.pickup.code}`), plain, my.waiting),
        button("k2_show", () => acts.show(my.waiting.pickup.text), true, my.waiting),
      ]),
    take: (my, acts, plain) => closes(acts, plain),
    told: (my, acts, plain) => [follow("open_mailbox", "/mailbox", plain)],
  },
  merchant: {
    sign_in: (my, acts, plain) => [opens("open_shop", "merchant", "/merchant", plain)],
    order: (my, acts, plain) => [opens("open_order", "merchant", "/merchant/new", plain)],
    print: (my, acts, plain) => (my.label ? [opens("open_label", "merchant", `/merchant/parcels/${my.label.parcel}/label`, plain)] : []),
    badge: (my, acts, plain) => there(my.label?.locker, acts, plain, [button("do_badge", () => acts.show(my.badge.text), plain, my.badge)]),
    put_in: (my, acts, plain) => there(my.label?.locker, acts, plain, [button("do_label", () => acts.show(my.label.text), plain, my.label), ...closes(acts, plain)]),
    told: (my, acts, plain) => [follow("open_mailbox", "/mailbox", plain)],
  },
  operator: {
    sign_in: (my, acts, plain) => [opens("open_fleet", "operator", "/operator", plain)],
    break: (my, acts, plain) => [button("do_force", () => acts.pull(my.free), plain, my.free, { n: my.free })],
    alarm: (my, acts, plain) => [opens("open_alarms", "operator", "/operator/alarms", plain)],
    shut: (my, acts, plain) => closes(acts, plain),
    release: (my, acts, plain) => (my.broken ? [opens("open_door_page", "operator", doorPage(acts, my.broken), plain, { n: my.broken })] : []),
    open: (my, acts, plain) => [opens("open_door_page", "operator", doorPage(acts, my.free ?? 1), plain, { n: my.free ?? 1 }), ...closes(acts, true)],
  },
  technician: {
    badge: (my, acts, plain) => [button("do_login", acts.login, plain), button("do_badge", () => acts.show(my.badge.text), true, my.badge)],
    status: (my, acts, plain) => [button("do_status", () => acts.order("status"), plain)],
    open: (my, acts, plain) => [button("do_open", () => acts.order(`open ${my.free ?? 1}`), plain, true, { n: my.free ?? 1 })],
    shut: (my, acts, plain) => closes(acts, plain),
    cut: (my, acts, plain) => [button("do_cut", () => acts.cable("hole"), plain)],
    mend: (my, acts, plain) => [button("do_mend", () => acts.cable("none"), plain)],
  },
};

const doorPage = (acts, number) => `/operator/lockers/${acts.lockerId()}/compartments/${number}`;

// A door that an earlier tour left open holds the locker up: said, unless the next step is to close it.
const SHUTS = ["put_in", "take", "shut"];
const forgotten = (acts) => closes(acts, true).map((button) => el("p", { class: "forgotten" }, t("tour_open_door"), " ", button));

function ticket(item) {
  return el("p", { class: "held" }, qr(item.qr, item.text), el("span", { text: item.kind === "label" ? item.text : t("badge_of", { carrier: item.carrier_name ?? item.name }) }));
}

function step(role, name, state, my, acts) {
  const title = t(`${role}_${name}`);
  const word = state === "ahead" ? null : el("span", { class: "unseen", text: `${t(state === "done" ? "tour_done" : "tour_now")} : ` });
  const helps = state === "done" ? [] : HELPS[role][name](my, acts, state !== "now");
  const shows = state === "now" ? my.shows[name] : null;
  return el(
    "li",
    { class: state, "aria-current": state === "now" ? "step" : null, "data-step": name },
    el("h3", {}, word, title),
    state === "done" ? null : el("p", { class: "note", text: t(`${role}_${name}_note`) }),
    shows ? ticket(shows) : null,
    helps.length ? el("div", { class: "row" }, helps) : null,
  );
}

/** `tour`: {role, steps, done}; `my` and `acts`: see page.js. `extra`: a node below the steps. */
export function drawTour(node, tour, my, acts, extra) {
  const { role, steps, done } = tour;
  const next = steps.find((name) => !done.includes(name));
  const state = (name) => (done.includes(name) ? "done" : name === next ? "now" : "ahead");
  node.replaceChildren(
    el("div", { class: "tour-head" }, icon(ICON[role] ?? role), el("h2", { id: "tour-title", text: t("tour", { role: t(`r_${role}`) }) }), el("b", { text: t("tour_progress", { done: done.length, all: steps.length }) })),
    el("progress", { max: steps.length, value: done.length, "aria-labelledby": "tour-title" }),
    el("p", { class: "note", text: t("tour_note") }),
    ...(SHUTS.includes(next) ? [] : forgotten(acts)),
    el("ol", { class: "steps" }, steps.map((name) => step(role, name, state(name), my, acts))),
    ...(next ? [] : [el("p", { class: "over", text: t("tour_over") })]),
    ...(extra ? [extra] : []),
    el("div", { class: "row foot" }, el("a", { class: next ? "act plain" : "act", href: "/", text: t("tour_other") }), button("tour_again", acts.again, true)),
  );
}
