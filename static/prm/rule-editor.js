// The editor of a rule without reloads: another model shows its fields at once, the sentence and the example follow what is typed,
// and tables grow and shrink. The server draws every part; nothing here computes or formats money.
"use strict";
(() => {
  const form = document.querySelector("[data-rule-editor]");
  if (!form) return;
  const fields = form.querySelector("#rule-fields");
  const preview = form.querySelector("#rule-preview");
  const WAIT = 450;
  let timer = 0;
  const running = {};

  async function part(name, then) {
    running[name]?.abort();
    running[name] = new AbortController();
    const body = new FormData(form);
    body.set("then", then);
    const options = { method: "POST", body, headers: { "X-Part": name }, credentials: "same-origin", signal: running[name].signal };
    const answer = await fetch(location.href, options);
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    return answer.text();
  }

  async function refresh() {
    try {
      preview.innerHTML = await part("preview", "refresh");
    } catch (error) {
      if (error.name !== "AbortError") preview.textContent = form.dataset.failed;
    }
  }

  async function show(control) {
    const id = control.id;
    try {
      fields.innerHTML = await part("fields", "show");
    } catch {
      return; // the button below the list of models does the same
    }
    prepare();
    document.getElementById(id)?.focus();
    refresh();
  }

  function isBlank(row) {
    return ![...row.querySelectorAll("input, [name$=-attribute]")].some((input) => input.value.trim());
  }

  function condition(row) {
    const attribute = row.querySelector("[name$=-attribute]");
    if (!attribute) return;
    row.querySelector("[data-custom]").hidden = attribute.value !== "attribute";
    const values = row.querySelector("[name$=-values]");
    if (document.getElementById(`values-${attribute.value}`)) values.setAttribute("list", `values-${attribute.value}`);
    else values.removeAttribute("list");
  }

  // How long a period is matters only for those without a length of their own.
  function months(select) {
    const input = form.querySelector(`[name="${{ window: "window_months", limit_window: "limit_months" }[select.name]}"]`);
    const field = input?.closest(".field"); // none when the page only keeps it for another model
    if (field) field.hidden = !["joining", "trailing"].includes(select.value);
  }

  // The rows of a table are counted from the first one, so that a message about row 2 means the second one on the page.
  function number(table) {
    const rows = table.querySelectorAll("[data-row]");
    rows.forEach((row, at) => {
      for (const element of row.querySelectorAll("[name], [id]")) {
        for (const key of ["name", "id"]) {
          if (element[key]) element[key] = element[key].replace(/-\d+-(?=[a-z]+(_error)?$)/, `-${at}-`);
        }
      }
      for (const element of row.querySelectorAll("[aria-label]")) {
        element.setAttribute("aria-label", element.getAttribute("aria-label").replace(/\d+$/, String(at + 1)));
      }
    });
    table.querySelector("[data-count]").value = String(rows.length);
  }

  function clear(row) {
    for (const input of row.querySelectorAll("input")) input.value = "";
    for (const select of row.querySelectorAll("select")) select.selectedIndex = 0;
    for (const error of row.querySelectorAll(".field-error")) error.remove();
    for (const cell of row.querySelectorAll(".has-error")) cell.classList.remove("has-error");
    for (const control of row.querySelectorAll("[aria-invalid]")) {
      control.removeAttribute("aria-invalid");
      control.removeAttribute("aria-describedby");
    }
    condition(row);
  }

  function add(table) {
    const last = [...table.querySelectorAll("[data-row]")].at(-1);
    const row = last.cloneNode(true);
    last.after(row);
    number(table);
    clear(row);
    row.querySelector("input, select").focus();
  }

  function remove(button) {
    const row = button.closest("[data-row]");
    const table = row.closest("[data-rows]");
    if (table.querySelectorAll("[data-row]").length > 1) row.remove();
    else clear(row);
    number(table);
    (table.querySelector("[data-add]") || table).focus();
    refresh();
  }

  // Spare rows are for pages without a script: one empty row is enough to begin with.
  function prepare() {
    for (const table of fields.querySelectorAll("[data-rows]")) {
      const rows = [...table.querySelectorAll("[data-row]")];
      while (rows.length > 1 && isBlank(rows.at(-1)) && isBlank(rows.at(-2))) rows.pop().remove();
      number(table);
    }
    for (const row of fields.querySelectorAll("[data-row]")) condition(row);
    for (const select of fields.querySelectorAll("[name=window], [name=limit_window]")) months(select);
  }

  form.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.matches("[data-add]")) add(button.closest("[data-rows]"));
    if (button.matches("[data-remove]")) remove(button);
  });

  form.addEventListener("change", (event) => {
    const control = event.target;
    if (control.matches("[data-shows], [name=metric]")) show(control);
    else if (control.matches("[name=window], [name=limit_window]")) months(control);
    else if (control.matches("[name$=-attribute]")) condition(control.closest("[data-row]"));
  });

  form.addEventListener("input", (event) => {
    if (event.target.matches("[data-shows], [name=metric]")) return;
    clearTimeout(timer);
    timer = setTimeout(refresh, WAIT);
  });

  prepare();
})();
