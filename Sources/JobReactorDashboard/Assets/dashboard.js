// Pages are complete without this: it keeps a live page fresh, and knows keys.
(() => {
  "use strict";
  document.documentElement.classList.add("js");
  const main = () => document.getElementById("main");
  const lamp = document.getElementById("live");

  // What the reader has in hand is not taken away.
  const isBusy = () => {
    const at = document.activeElement;
    const isTyping = at && main().contains(at) && /^(INPUT|SELECT|TEXTAREA|BUTTON|SUMMARY)$/.test(at.tagName);
    const selection = document.getSelection();
    return isTyping || main().querySelector("details[open]") || (selection && !selection.isCollapsed);
  };

  let isFetching = false, isStale = false;
  const refresh = async () => {
    if (isFetching || document.hidden || isBusy()) { isStale = true; return; }
    isFetching = true; isStale = false;
    try {
      const place = new URL(location.href);
      place.searchParams.delete("notice");
      const reply = await fetch(place, { credentials: "same-origin" });
      if (reply.redirected || reply.status === 403) { location.reload(); return; }
      const page = new DOMParser().parseFromString(await reply.text(), "text/html");
      const fresh = page.getElementById("main");
      if (fresh && !isBusy()) {
        const row = current();
        const places = [...main().querySelectorAll(".scroll")].map((part) => part.scrollLeft);
        main().replaceChildren(...fresh.childNodes);
        main().querySelectorAll(".scroll").forEach((part, index) => { part.scrollLeft = places[index] || 0; });
        if (row >= 0 && rows()[row]) rows()[row].focus({ preventScroll: true });
      }
    } catch { isStale = true; } finally { isFetching = false; }
  };

  const tell = (text, isOff) => {
    if (!lamp) return;
    lamp.hidden = false;
    if (lamp.textContent !== text) lamp.textContent = text;
    lamp.classList.toggle("off", isOff);
  };

  if (lamp && main().hasAttribute("data-live") && "EventSource" in window) {
    let first = null, events = null;
    // A page that nobody sees takes no connection: a browser has few to one server.
    const listen = () => {
      if (events || document.hidden) return;
      events = new EventSource("/events");
      events.onopen = () => tell("live", false);
      events.onmessage = (event) => {
        if (first !== null && event.data !== first) refresh();
        first = event.data;
      };
      events.onerror = () => tell(events.readyState === EventSource.CLOSED ? "not live" : "connecting", true);
    };
    const leave = () => { if (events) events.close(); events = null; };
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) { leave(); return; }
      listen();
      if (isStale) refresh();
    });
    listen();
    setInterval(() => { if (isStale) refresh(); }, 5000);
    window.addEventListener("pagehide", leave);
    window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  }

  const rows = () => [...main().querySelectorAll("a.row")];
  const current = () => rows().indexOf(document.activeElement);
  const move = (step) => {
    const all = rows();
    if (all.length) all[Math.max(0, Math.min(all.length - 1, current() + step))].focus();
  };

  let isGoing = false;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = event.target;
    if (at instanceof Element && at.closest("input, textarea, select, dialog")) return;
    const goes = isGoing;
    isGoing = false;
    if (goes) {
      const link = document.querySelector(`header nav a[data-key="${CSS.escape(event.key)}"]`);
      if (link) link.click();
      return;
    }
    const keys = document.getElementById("keys");
    const box = document.getElementById("q");
    switch (event.key) {
      case "g": isGoing = true; return;
      case "j": move(1); return;
      case "k": move(-1); return;
      case "?": if (keys && keys.showModal) keys.showModal(); return;
      case "/": if (box) { event.preventDefault(); box.focus(); box.select(); } return;
      default: return;
    }
  });
})();
