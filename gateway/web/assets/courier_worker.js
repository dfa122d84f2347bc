// The courier's service worker. The server puts TOLD before it: release, shell (what to keep from the start), offline
// (the page for what was not kept), kept_s (how old a copy may be).
//
// Pages come from the network. Those that the server marks (Consigne-Keep) are kept, and shown without a network with the
// hour at which they were made; a page that answers with a sign-in or a refusal ends all copies.
"use strict";
const SHELL = `courier-shell-${TOLD.release}`;
const PAGES = "courier-pages";

self.addEventListener("install", (event) => {
  // Without cookies: what is kept from the start is the same for everyone.
  const wanted = TOLD.shell.map((address) => new Request(address, { cache: "reload", credentials: "omit" }));
  event.waitUntil(
    caches
      .open(SHELL)
      .then((shell) => shell.addAll(wanted))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  const old = (name) => name.startsWith("courier-shell-") && name !== SHELL;
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    event.respondWith(request.method === "GET" ? page(request, url) : sent(request));
  } else if (request.method === "GET" && url.pathname.startsWith("/assets/")) {
    event.respondWith(caches.match(request).then((kept) => kept || fetch(request)));
  }
});

async function page(request, url) {
  let answer;
  try {
    answer = await fetch(request);
  } catch {
    return kept(url);
  }
  if (answer.type === "opaqueredirect" || answer.status === 403) {
    await caches.delete(PAGES);
  } else if (answer.ok && answer.headers.get("Consigne-Keep")) {
    const pages = await caches.open(PAGES);
    await pages.put(url.pathname, answer.clone());
  }
  return answer;
}

async function sent(request) {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match(TOLD.offline)) || Response.error();
  }
}

async function kept(url) {
  const copy = await (await caches.open(PAGES)).match(url.pathname);
  if (copy && Date.now() - Date.parse(copy.headers.get("Date")) < TOLD.kept_s * 1000) {
    const text = (await copy.text()).replace('id="kept" hidden', 'id="kept"');
    const headers = new Headers(copy.headers);
    headers.delete("Content-Length");
    headers.delete("Content-Encoding");
    return new Response(text, { headers });
  }
  const shell = await caches.open(SHELL);
  const same = await shell.match(url.pathname, { ignoreSearch: true });
  return same || (await shell.match(TOLD.offline)) || Response.error();
}
