// The start page: one card a role, each leading to its guided tour.

import { el, icon } from "./make.js";
import { languageButton } from "./language.js";
import { t, translate } from "./words.js";

const ROLES = { courier: "courier", recipient: "customer", merchant: "merchant", operator: "operator", technician: "technician" };

function card(role, picture, count) {
  const steps = el("span", { class: "count", text: count ? t("start_steps", { n: count }) : "" });
  return el(
    "li",
    {},
    el("a", { class: "choice", href: `/tour/${role}` }, icon(picture), el("b", { text: t(`r_${role}`) }), el("span", { text: t(`r_${role}_note`) }), steps),
  );
}

const counts = {};
function draw() {
  translate();
  document.getElementById("choices").replaceChildren(...Object.entries(ROLES).map(([role, picture]) => card(role, picture, counts[role])));
}

languageButton(draw);
draw();
Object.assign(counts, await (await fetch("/api/tours")).json());
draw();
