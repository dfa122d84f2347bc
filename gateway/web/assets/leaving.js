// What a phone keeps of a courier's pages goes when its courier does: at sign-out, and whenever a page of ours meets
// nobody signed in. Receipts that wait to be sent stay: they are somebody's parcel.
"use strict";
(() => {
  const forget = () => ("caches" in window ? caches.delete("courier-pages") : Promise.resolve());
  const form = document.querySelector('form[action="/sign-out"]');
  if (form) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      try {
        localStorage.removeItem("consigne.badge");
      } catch {
        // a browser that keeps nothing has nothing to forget
      }
      forget().finally(() => form.submit());
    });
  } else if (!document.getElementById("courier")) {
    forget();
  }
})();
