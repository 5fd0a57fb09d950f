
"use strict";
(() => {
  const root = document.documentElement;
  const by = (id) => document.getElementById(id);
  const form = by("filter");
  const cards = [...document.querySelectorAll(".finding")];
  const groups = [...document.querySelectorAll(".group")];
  const rows = [...document.querySelectorAll("#map tr[data-text]")];
  const total = cards.reduce((sum, card) => sum + Number(card.dataset.number), 0);
  root.classList.add("script");

  function kept(key, value) {
    try {
      if (value === undefined) return localStorage.getItem(key);
      localStorage.setItem(key, value);
    } catch { /* a page from a file may have no storage */ }
    return null;
  }

  function isDark() {
    return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  function switchTheme() {
    root.dataset.theme = isDark() ? "light" : "dark";
    kept("guardrails-theme", root.dataset.theme);
  }

  function asked() {
    const severities = [...form.querySelectorAll("[name=severity]:not(:disabled)")];
    return {
      words: form.q.value.toLowerCase().split(/\s+/).filter(Boolean),
      severities: new Set(severities.filter((box) => box.checked).map((box) => box.value)),
      isEvery: severities.every((box) => box.checked),
      guardrail: form.guardrail.value,
      rule: form.rule.value,
    };
  }

  function matches(card, group, want) {
    return want.severities.has(card.dataset.severity)
      && (!want.guardrail || group.dataset.guardrail === want.guardrail)
      && (!want.rule || group.dataset.rule === want.rule)
      && want.words.every((word) => card.dataset.text.includes(word));
  }

  function apply() {
    const want = asked();
    let shown = 0;
    for (const group of groups) {
      let number = 0;
      for (const card of group.querySelectorAll(".finding")) {
        card.hidden = !matches(card, group, want);
        if (!card.hidden) number += Number(card.dataset.number);
      }
      group.hidden = number === 0;
      shown += number;
    }
    for (const row of rows) row.hidden = !want.words.every((word) => row.dataset.text.includes(word));
    by("none").hidden = shown > 0;
    const all = `${total} ${total === 1 ? "finding" : "findings"}`;
    by("shown").value = shown === total ? all : `${shown} of ${all}`;
    return want;
  }

  function write(want) {
    const said = new URLSearchParams();
    if (want.words.length) said.set("q", want.words.join(" "));
    if (!want.isEvery) said.set("severity", [...want.severities].join(","));
    if (want.guardrail) said.set("guardrail", want.guardrail);
    if (want.rule) said.set("rule", want.rule);
    const hash = said.toString();
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  }

  function read() {
    const hash = location.hash.slice(1);
    if (!form || !hash.includes("=")) return;
    const said = new URLSearchParams(hash);
    const severities = said.get("severity");
    form.q.value = said.get("q") || "";
    form.guardrail.value = said.get("guardrail") || "";
    form.rule.value = said.get("rule") || "";
    for (const box of form.querySelectorAll("[name=severity]")) box.checked = severities === null || severities.split(",").includes(box.value);
    apply();
    if (by("findings").getBoundingClientRect().top > innerHeight / 2) by("findings").scrollIntoView();
  }

  function clear() {
    form.reset();
    write(apply());
  }

  function step(by_) {
    const open = cards.filter((card) => !card.hidden);
    const at = open.indexOf(document.activeElement.closest(".finding"));
    const next = open[at < 0 ? (by_ > 0 ? 0 : open.length - 1) : Math.min(Math.max(at + by_, 0), open.length - 1)];
    if (!next) return;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  const keys = {
    "/": () => form && (form.q.focus(), form.q.select()),
    "j": () => step(1),
    "k": () => step(-1),
    "t": switchTheme,
    "?": () => by("keys").showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || by("keys").open) return;
    if (event.key === "Escape" && form) return clear();
    if (event.target.closest("input, select, textarea")) return;
    const act = keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });

  function light(chart, box) {
    const on = new Set(box ? box.dataset.edges.split(" ") : []);
    chart.classList.toggle("chosen", Boolean(box));
    for (const edge of chart.querySelectorAll(".edge")) edge.classList.toggle("on", on.has(edge.dataset.edge));
  }

  for (const chart of document.querySelectorAll(".chart")) {
    for (const box of chart.querySelectorAll(".box")) {
      for (const start of ["mouseenter", "focus"]) box.addEventListener(start, () => light(chart, box));
      for (const end of ["mouseleave", "blur"]) box.addEventListener(end, () => light(chart, null));
    }
  }

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open]):not(.page)")];
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of opened) one.open = false; });

  const theme = kept("guardrails-theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  by("theme").addEventListener("click", switchTheme);
  by("help").addEventListener("click", keys["?"]);
  if (form) {
    form.addEventListener("input", () => write(apply()));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(() => write(apply())));
    addEventListener("hashchange", read);
    apply();
    read();
  }
})();
