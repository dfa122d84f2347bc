// Every word people read on the page, French first. `t("key", {n: 3})` fills {n} in.

import { TOUR_WORDS } from "./tour_words.js";

const WORDS = {
  ...TOUR_WORDS,
  skip: ["Aller aux rôles", "Skip to the roles"],
  tagline: ["Deux consignes virtuelles, de vraies pièces derrière", "Two virtual lockers, real parts behind them"],
  lockers: ["Consigne affichée", "Locker shown"],
  doors_count: ["{n} portes", "{n} doors"],
  sound: ["Son", "Sound"],
  online: ["En ligne", "Online"],
  offline: ["Hors ligne, elle continue de servir", "Offline, it keeps serving"],
  unpowered: ["Sans courant", "No power"],
  front_title: ["Façade : {name}", "Front: {name}"],
  front_note: [
    "À l’échelle. Touchez une porte ouverte pour la refermer, une porte fermée pour la choisir.",
    "To scale. Touch an open door to close it, a closed one to choose it.",
  ],
  reach: ["zone accessible 0,40 – 1,30 m", "accessible zone 0.40 – 1.30 m"],
  legend: ["Légende", "Legend"],
  terminal: ["Le terminal : écran, lecteur, clavier", "The terminal: screen, scanner, keypad"],
  screen: ["Écran de la consigne", "The locker's screen"],
  screen_qr: ["QR du reçu de dépôt", "QR code of the deposit receipt"],
  scanner: ["Lecteur de codes : que montrez-vous ?", "Scanner: what do you show?"],
  show: ["Présenter", "Show"],
  nothing_at_hand: ["Rien en main pour l’instant", "Nothing at hand yet"],
  other_text: ["Autre texte…", "Other text…"],
  other_text_hint: ["Collez ou tapez un texte", "Paste or type a text"],
  keypad: ["Clavier de la consigne", "The locker's keypad"],
  keys_note: [
    "Au clavier : chiffres, A–D, Entrée = #, Retour arrière = *",
    "On your keyboard: digits, A–D, Enter = #, Backspace = *",
  ],
  key_A: ["FR / EN", "FR / EN"],
  key_B: ["trop petit", "too small"],
  key_C: ["rouvrir", "reopen"],
  key_D: ["aide", "help"],
  "key_*": ["retour", "back"],
  "key_#": ["valider", "confirm"],
  faults: ["Et si… ?", "What if…?"],
  cable: ["Câble réseau", "Network cable"],
  cable_none: ["branché", "plugged"],
  cable_reset: ["arraché", "pulled"],
  cable_hole: ["muet", "silent"],
  power: ["Courant", "Power"],
  power_on: ["allumé", "on"],
  power_off: ["coupé", "cut"],
  controller: ["Contrôleur", "Controller"],
  kill: ["Tuer net le programme", "Kill the program dead"],
  roles: ["Jouez un rôle", "Play a part"],
  courier: ["Livreur", "Courier"],
  customer: ["Client", "Customer"],
  technician: ["Technicien", "Technician"],
  log: ["Ce qui se passe", "What happens"],
  jump: ["Aller à", "Go to"],
  jump_front: ["Façade", "Front"],
  jump_terminal: ["Terminal", "Terminal"],
  jump_roles: ["Rôles", "Roles"],

  state_free: ["libre", "free"],
  state_reserved: ["réservée", "reserved"],
  state_depositing: ["dépôt", "deposit"],
  state_held: ["occupée", "occupied"],
  state_revoked: ["à vider", "to empty"],
  state_fault: ["en panne", "faulty"],
  state_out: ["hors service", "out of service"],
  state_out_short: ["hors serv.", "out"],
  state_unknown: ["inconnu", "unknown"],
  state_open: ["ouverte", "open"],
  state_accessible: ["accessible", "accessible"],
  door: ["Porte {n}", "Door {n}"],
  door_closed: ["fermée", "closed"],
  door_open: ["ouverte", "open"],
  door_size: ["taille {size}, {w} × {h} × {d} mm", "size {size}, {w} × {h} × {d} mm"],
  choose_door: [
    "Choisissez une porte : vous pourrez la coincer, bloquer son capteur, l’ouvrir à distance ou la mettre hors service.",
    "Choose a door: you can jam it, block its sensor, open it remotely or take it out of service.",
  ],
  push: ["Refermer", "Push closed"],
  push_n: ["Refermer la porte {n}", "Close door {n}"],
  pull: ["Forcer", "Force open"],
  jam: ["Coincer", "Jam"],
  stick: ["Bloquer le capteur", "Block the sensor"],
  remote_open: ["Ouvrir à distance", "Open remotely"],
  take_out: ["Mettre hors service", "Take out of service"],
  put_back: ["Remettre en service", "Put back in service"],
  release: ["Vérifiée vide : libérer", "Checked empty: release"],

  c1: ["Demandez un badge à votre transporteur", "Ask your carrier for a badge"],
  c1_do: ["Obtenir un badge", "Get a badge"],
  c2: ["Prenez un colis : la ville lui garde une place", "Take a parcel: the town keeps a place for it"],
  c2_do: ["Coller l’étiquette", "Print the label"],
  size: ["Taille", "Size"],
  accessible_wish: ["porte basse demandée", "low door wanted"],
  c3: ["Présentez le badge", "Show the badge"],
  c4: ["Présentez l’étiquette", "Show the label"],
  c5: ["Une porte s’ouvre : posez le colis, refermez", "A door opens: put the parcel in, close it"],
  c5_note: [
    "Trop petit ? Touche B. Refermée trop tôt ? Touche C. Sans réseau, l’écran demande d’abord la taille (1, 2 ou 3).",
    "Too small? Key B. Closed too early? Key C. Without a network the screen first asks for the size (1, 2 or 3).",
  ],
  c6: ["Tournée finie ? Rendez l’écran", "Round done? Free the screen"],
  c6_do: ["Touche *", "Key *"],
  badge_of: ["Badge {carrier}", "{carrier} badge"],
  valid_until: ["valable jusqu’au {date}, dans toutes les consignes", "valid until {date}, at every locker"],
  label_of: ["Colis {size} pour {locker}", "{size} parcel for {locker}"],
  k1: ["Votre colis est arrivé : voici le code", "Your parcel has arrived: here is the code"],
  k1_empty: [
    "Aucun colis n’attend. Jouez d’abord le livreur : le code paraît ici dès que la porte s’est refermée.",
    "No parcel is waiting. Play the courier first: the code appears here as soon as the door has closed.",
  ],
  k2: ["Tapez le code, ou montrez le QR", "Type the code, or show the QR"],
  k2_note: ["Sans se presser : les fautes de frappe ne coûtent rien.", "Take your time: typing errors cost nothing."],
  k2_type: ["Taper pour moi", "Type it for me"],
  k2_show: ["Montrer le QR", "Show the QR"],
  k3: ["La porte s’ouvre : prenez le colis, refermez", "The door opens: take the parcel, close it"],
  k3_note: ["Appuyez sur la porte dans le dessin, ou ici :", "Press the door in the drawing, or here:"],
  k4: ["C’est fait", "Done"],
  k4_note: [
    "Oublié quelque chose ? Le même code rouvre la porte deux fois, pendant trois minutes.",
    "Forgot something? The same code opens again twice, for three minutes.",
  ],
  k4_do: ["Retaper le code", "Type it again"],
  k_neighbour: ["Envoyer un voisin", "Send a neighbour"],
  k_neighbour_note: ["à montrer au lecteur, une seule fois", "to show to the scanner, once"],
  k_replace: ["Changer de code", "Replace the code"],
  k_slip: ["Bon à imprimer", "Slip to print"],
  qr_of: ["QR de {name}", "QR of {name}"],
  t2_badge: ["Badge au lecteur", "Badge for the scanner"],
  badge_of_technician: ["Badge de {name}", "{name}'s badge"],
  parcel_at: ["{locker}, porte {n}", "{locker}, door {n}"],
  parcel_for: ["pour {locker}", "for {locker}"],
  p_expected: ["attendu", "expected"],
  p_reserved: ["en route", "on its way"],
  p_deposited: ["vous attend", "waiting for you"],
  p_collected: ["retiré", "collected"],
  p_expired: ["délai passé", "expired"],
  p_taken_back: ["repris", "taken back"],
  p_disputed: ["à vérifier", "to be checked"],
  elsewhere: ["Ce colis est à l’autre consigne : affichez-la.", "This parcel is at the other locker: show it first."],
  show_it: ["Afficher {locker}", "Show {locker}"],
  t1: ["Branchez-vous : la console série répond", "Plug in: the serial console answers"],
  t1_note: ["Cliquez dans le cadre et tapez, ou prenez un ordre :", "Click in the frame and type, or pick an order:"],
  t2: ["Connectez-vous pour agir sur les portes", "Log in to act on the doors"],
  t2_note: [
    "La consigne pose une question, la passerelle calcule la réponse : aucun mot de passe sur place.",
    "The locker asks a question, the gateway works out the answer: no password on site.",
  ],
  t2_do: ["Se connecter", "Log in"],
  t3: ["Cherchez la panne", "Find the fault"],
  t3_note: [
    "Coincez une porte, coupez le câble ou le courant, puis relisez status, doors et journal.",
    "Jam a door, cut the cable or the power, then read status, doors and journal again.",
  ],
  t_name: ["Nom", "Name"],
  console: ["Console série de {name}", "Serial console of {name}"],
  enlarge: ["Agrandir le QR", "Enlarge the QR"],
  close: ["Fermer", "Close"],
  lost: ["La démonstration s’est arrêtée ou ne répond plus.", "The demonstration has stopped or does not answer."],

  l_of: ["{whose}\u00a0: {what}", "{whose}: {what}"],
  l_door_open: ["Porte {n} ouverte", "Door {n} open"],
  l_door_closed: ["Porte {n} refermée", "Door {n} closed"],
  l_pulse: ["Gâche {n} alimentée {ms} ms", "Lock {n} pulsed for {ms} ms"],
  l_power_on: ["Le courant est revenu", "Power is back"],
  l_power_off: ["Courant coupé", "Power cut"],
  l_scan: ["Code présenté au lecteur", "Code shown to the scanner"],
  b_Booted: ["Démarrée", "Booted"],
  b_DoorOpened: ["Ouverture", "Opening"],
  b_DoorClosed: ["Fermeture", "Closing"],
  b_DoorFaulted: ["Porte en défaut", "Door fault"],
  b_CourierIdentified: ["Livreur reconnu", "Courier identified"],
  b_DepositAuthorised: ["Dépôt autorisé", "Deposit authorised"],
  b_Deposited: ["Colis déposé", "Parcel deposited"],
  b_DepositAbandoned: ["Dépôt abandonné", "Deposit abandoned"],
  b_PickupAuthorised: ["Retrait autorisé", "Pickup authorised"],
  b_Collected: ["Colis retiré", "Parcel collected"],
  b_CodeRefused: ["Code refusé", "Code refused"],
  b_BucketRefilled: ["Un essai rendu", "A try given back"],
  b_OpeningAuthorised: ["Ouverture de service", "Service opening"],
  b_CommandDone: ["Ordre exécuté", "Command done"],
  b_ServiceActed: ["Acte technique", "Service act"],
  in_books: ["registre n° {seq}", "book no. {seq}"],
  at_door: ["porte {n}", "door {n}"],
};

let column = 0;

export function setLanguage(language) {
  column = language === "en" ? 1 : 0;
  document.documentElement.lang = language;
}

export function language() {
  return column ? "en" : "fr";
}

/** For hours and dates: a town of Europe counts to 24, and says the day before the month. */
export function locale() {
  return column ? "en-GB" : "fr-FR";
}

export function has(key) {
  return key in WORDS;
}

export function t(key, fill = {}) {
  const words = WORDS[key];
  if (!words) return key;
  return words[column].replace(/\{(\w+)\}/g, (_, name) => fill[name] ?? "");
}

export function translate(root = document) {
  for (const node of root.querySelectorAll("[data-word]")) node.textContent = t(node.dataset.word);
  for (const node of root.querySelectorAll("[data-label]")) node.setAttribute(node.localName === "iframe" ? "title" : "aria-label", t(node.dataset.label));
}
