// Keeps the click id that a tracked link added to the address, on the shop's own domain and only as far as the visitor allows.
// It needs nothing, loads nothing and evaluates nothing; docs/tracking-guide.md says how it is put into a page.
(function (window, document) {
  "use strict";
  var NAME = "prm_click";
  var script = document.currentScript;
  var options = script ? script.dataset : {};
  var days = Math.min(Math.max(parseInt(options.days, 10) || 30, 1), 400);
  var asked = options.consent === "required";
  var refused = navigator.globalPrivacyControl === true;
  var allowed = !asked && !refused;
  // An id from the address counts for this page even before anybody has agreed to its being kept.
  var here = "";

  function valid(text) {
    return /^[0-9a-z]{26}$/i.test(text || "") ? text : "";
  }

  function stored() {
    var found = document.cookie.match(/(?:^|; )prm_click=([^;]*)/);
    if (found) return valid(found[1]);
    try {
      var kept = JSON.parse(localStorage.getItem(NAME) || "{}");
      return kept.until > Date.now() ? valid(kept.id) : "";
    } catch (_) {
      return "";
    }
  }

  function keep(id, seconds) {
    document.cookie = NAME + "=" + id + "; max-age=" + seconds + "; path=/; SameSite=Lax"
      + (location.protocol === "https:" ? "; Secure" : "");
    try {
      if (seconds) localStorage.setItem(NAME, JSON.stringify({ id: id, until: Date.now() + seconds * 1000 }));
      else localStorage.removeItem(NAME);
    } catch (_) {}
  }

  function clickId() {
    return refused ? "" : here || (allowed ? stored() : "");
  }

  function fill() {
    var id = clickId();
    document.querySelectorAll("input[name=" + NAME + "]").forEach(function (field) {
      field.value = id;
    });
  }

  function consent(given) {
    allowed = !!given && !refused;
    if (allowed && here) keep(here, days * 86400);
    if (!given) keep("", 0);
    fill();
  }

  function convert(event) {
    var id = clickId();
    if (!id || !options.inlet || !event) return false;
    var query = "?click_id=" + id;
    Object.keys(event).forEach(function (name) {
      query += "&" + encodeURIComponent(name) + "=" + encodeURIComponent(event[name]);
    });
    new Image().src = options.inlet + query;
    return true;
  }

  // data-convert-event-id="…" and the like tell a conversion where a page may not hold a script of its own.
  function told() {
    var event = {};
    Object.keys(options).forEach(function (key) {
      if (/^convert./.test(key)) {
        event[key.slice(7).replace(/[A-Z]/g, function (letter, place) {
          return (place ? "_" : "") + letter.toLowerCase();
        })] = options[key];
      }
    });
    return event;
  }

  function start() {
    fill();
    var event = told();
    if (event.event_id) convert(event);
  }

  here = valid(new URLSearchParams(location.search).get(NAME));
  if (allowed && here) keep(here, days * 86400);
  window.prm = { clickId: clickId, consent: consent, convert: convert };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})(window, document);
