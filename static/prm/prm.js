// Saves reloads and keystrokes; every page works without it. It opens links marked data-drawer beside the page, copies
// links, and says so in the toast region. Nothing here computes or formats money.
"use strict";
(() => {
  const root = document.documentElement;
  root.dataset.js = "";

  let toastTimer = 0;
  function toast(text) {
    const region = document.getElementById("toast");
    if (!region || !text) return;
    region.textContent = text;
    clearTimeout(toastTimer);
    toastTimer = setTimeout(() => { region.textContent = ""; }, 4000);
  }

  async function copy(button) {
    const input = document.getElementById(button.dataset.copy);
    if (!input) return;
    try {
      await navigator.clipboard.writeText(button.dataset.text || input.value);
      toast(button.dataset.done);
    } catch {
      // No clipboard without https or permission: leave the text selected for the reader's own copy key.
      input.focus();
      input.select();
    }
  }

  async function openDrawer(link) {
    const drawer = document.getElementById("drawer");
    const body = document.getElementById("drawer-body");
    if (!drawer || !body) return false;
    const headers = { "HX-Request": "true", "HX-Target": "drawer-body" };
    const answer = await fetch(link.href, { headers, credentials: "same-origin" });
    if (!answer.ok || answer.redirected) return false;
    body.innerHTML = await answer.text();
    if (window.htmx) window.htmx.process(body);
    drawer.showModal();
    drawer.scrollTop = 0;
    body.querySelector("#drawer-title")?.focus();
    return true;
  }

  function isPlainClick(event) {
    return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
    const link = event.target.closest("a[data-drawer]");
    if (link && isPlainClick(event) && document.getElementById("drawer")) {
      event.preventDefault();
      // The link is a page of its own: whatever goes wrong here, go there.
      openDrawer(link).then((opened) => { if (!opened) location.assign(link.href); }, () => location.assign(link.href));
    }
    if (event.target.id === "drawer") event.target.close(); // a click on the veil
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = event.target.closest?.("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  document.querySelector(".error-summary")?.focus();
})();
