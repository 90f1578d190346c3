// What the console does in the browser beyond HTML and htmx: dialogs, copying, keys, theme, manners.
"use strict";

(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const sheet = () => $("#sheet");

  // One dialog, filled by the server: whatever is swapped into it is shown; what is asked for from it and
  // goes elsewhere closes it. An answer to what was asked before it opened does not.
  const askedInside = new WeakSet();
  document.addEventListener("htmx:after:swap", (event) => {
    const asked = event.detail.ctx?.target;
    const target = typeof asked === "string" ? $(asked) : asked;
    if (target?.id === "sheet") {
      const dialog = sheet();
      dialog.classList.toggle("wide", Boolean($("[data-wide]", dialog)));
      if (dialog.textContent.trim() && !dialog.open) dialog.showModal();
      $("[autofocus]", dialog)?.focus();
    } else if (sheet()?.open && !sheet().contains(target) && askedInside.has(event.detail.ctx)) {
      sheet().close();
    }
    settle();
  });
  document.addEventListener("close", (event) => {
    if (event.target.id === "sheet") event.target.replaceChildren();
  }, true);

  // Polling rests while nobody looks, while a menu or dialog is open, and while something is typed.
  document.addEventListener("htmx:before:request", (event) => {
    const { sourceEvent, sourceElement } = event.detail.ctx;
    if (sheet()?.contains(sourceElement)) askedInside.add(event.detail.ctx);
    if (sourceEvent?.type !== "every") return;
    const busy = sourceElement.contains(document.activeElement)
      && document.activeElement.matches("input, textarea, select, summary");
    if (document.hidden || busy || sheet()?.open || $("details.menu[open]", sourceElement)) {
      event.preventDefault();
    }
  });

  // A lost connection is said once, and taken back when the next call comes through.
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.error?.name === "AbortError") return;
    const note = $("#offline");
    if (note) note.hidden = false;
  });
  document.addEventListener("htmx:after:request", () => {
    const note = $("#offline");
    if (note) note.hidden = true;
  });

  document.addEventListener("click", (event) => {
    const hit = (selector) => event.target.closest?.(selector);
    let found;
    if ((found = hit("[data-copy]"))) copy(found);
    else if ((found = hit("[data-closes]"))) leave(found);
    else if ((found = hit("[data-removes]"))) found.closest(found.dataset.removes)?.remove();
    else if ((found = hit("[data-theme-next]"))) nextTheme();
    else if ((found = hit("[data-adds]"))) addRow($(found.dataset.adds));
    else if ((found = hit("[data-print]"))) window.print();
    else if (event.target === sheet()) sheet().close();
    for (const menu of $$("details.menu[open]")) {
      if (!menu.contains(event.target) || hit(".sheet [hx-get]")) menu.open = false;
    }
  });

  // Opened by its address, what usually stands in the dialog is a page; leaving it goes back.
  function leave(button) {
    const dialog = button.closest(button.dataset.closes);
    if (dialog) dialog.close();
    else history.back();
  }

  async function copy(button) {
    const from = button.dataset.copy;
    const text = from.startsWith("#") ? $(from)?.textContent : from;
    await navigator.clipboard.writeText(text ?? "");
    const use = $("use", button);
    const before = use?.getAttribute("href");
    use?.setAttribute("href", before.replace(/#.*/, "#check"));
    $("#spoken").textContent = button.dataset.done ?? "";
    setTimeout(() => use?.setAttribute("href", before), 1400);
  }

  // One more row like the last, empty, its fields' numbers counted on.
  function addRow(body) {
    const rows = $$("tr", body);
    const row = rows.at(-1).cloneNode(true);
    for (const field of $$("input, select", row)) {
      for (const name of ["name", "aria-label"]) {
        field.setAttribute(name, field.getAttribute(name).replace(/\d+/, rows.length + 1));
      }
      if (field.tagName === "INPUT") field.value = "";
    }
    body.append(row);
    $("input", row).focus();
  }

  function nextTheme() {
    const root = document.documentElement;
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = root.dataset.theme || (dark ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
    document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
    document.dispatchEvent(new CustomEvent("theme"));
  }

  // Keys. A letter alone never fires inside a field.
  let leader = false;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      for (const menu of $$("details.menu[open]")) {
        menu.open = false;
        $("summary", menu).focus();
      }
    }
    const typing = event.target.matches?.("input, textarea, select, [contenteditable]");
    if (typing || event.metaKey || event.ctrlKey || event.altKey || sheet()?.open) return;
    if (leader) {
      leader = false;
      const goal = $(`[data-key="${CSS.escape(event.key)}"]`);
      if (goal) { event.preventDefault(); goal.click(); }
      return;
    }
    if (event.key === "g") { leader = true; setTimeout(() => { leader = false; }, 1200); }
    else if (event.key === "/") { event.preventDefault(); $("#finder")?.select(); $("#finder")?.focus(); }
    else if (event.key === "?") { event.preventDefault(); $("#keys")?.showModal(); }
    else if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
  });

  function step(by) {
    const links = $$("table.list tbody td.main-cell a:first-child");
    if (!links.length) return;
    const at = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
    links[Math.min(links.length - 1, Math.max(0, at < 0 && by < 0 ? 0 : at + by))].focus();
  }

  // A select or date inside a list's filters applies at once.
  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("form[data-apply]");
    if (form && event.target.matches("select, input[type=date], input[type=checkbox]")) form.requestSubmit();
  });
  // Empty filters do not clutter the address.
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-apply]")) return;
    for (const field of event.target.elements) if (field.name && !field.value) field.disabled = true;
    setTimeout(() => { for (const field of event.target.elements) field.disabled = false; });
  });

  // A table that fits needs no scrolling of its own; without it its head can stay in sight.
  function fit() {
    for (const box of $$("main .scroll")) box.classList.toggle("fits", box.scrollWidth <= box.clientWidth);
  }

  function settle() {
    fit();
    for (const toast of $$(".toast:not([data-seen])")) {
      toast.dataset.seen = "";
      if (!toast.classList.contains("bad")) setTimeout(() => toast.remove(), 6000);
    }
  }
  window.addEventListener("pageshow", () => {
    for (const field of $$("form[data-apply] :disabled")) field.disabled = false;
  });
  new ResizeObserver(fit).observe(document.body);
  $(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  settle();
})();
