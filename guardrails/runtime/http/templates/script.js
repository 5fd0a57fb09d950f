const live = document.querySelector(".live");
const every = Number(document.body.dataset.every) * 1000;
const units = [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]];
function span(seconds) {
  for (const [size, unit, below, name] of units) {
    if (seconds >= size) {
      const rest = Math.floor((seconds % size) / below);
      return `${Math.floor(seconds / size)} ${unit}` + (rest ? ` ${rest} ${name}` : "");
    }
  }
  return `${seconds} s`;
}
const skew = Date.now() / 1000 - Number(document.body.dataset.now);
function tick() {
  const now = Date.now() / 1000 - skew;
  for (const one of document.querySelectorAll("time[data-ago]")) {
    const gap = now - Number(one.dataset.ago);
    one.textContent = Math.abs(gap) < 1 ? "now" : gap > 0 ? `${span(Math.floor(gap)).split(" ").slice(0, 2).join(" ")} ago` : `in ${span(Math.ceil(-gap))}`;
  }
  for (const one of document.querySelectorAll("time[data-since]")) {
    one.textContent = span(Math.max(0, Math.floor(now - Number(one.dataset.since))));
  }
}
const bare = (part) => part.innerHTML.replace(/(<time[^>]*>)[^<]*/g, "$1").replace(/ open=""/g, "").replace(/ title="[^"]*ago"/g, "");
function swap(part, fresh) {
  if (bare(part) === bare(fresh)) return;
  const open = new Set([...part.querySelectorAll("details[open]")].map((one) => one.id));
  const places = [...part.querySelectorAll("[data-keep]")].map((one) => [one.dataset.keep, one.scrollTop, one.scrollTop + one.clientHeight >= one.scrollHeight - 4]);
  const held = document.activeElement?.id;
  part.replaceChildren(...document.importNode(fresh, true).childNodes);
  for (const one of part.querySelectorAll("details")) one.open = open.has(one.id);
  for (const [name, top, end] of places) {
    const one = part.querySelector(`[data-keep="${name}"]`);
    if (one) one.scrollTop = end ? one.scrollHeight : top;
  }
  if (held && document.activeElement?.id !== held) document.getElementById(held)?.focus();
}
function chosen() {
  const range = getSelection();
  return range && !range.isCollapsed;
}
async function refresh() {
  if (document.hidden || chosen()) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  if (answer.redirected) return location.reload();
  if (!answer.ok) throw new Error(answer.status);
  const fresh = new DOMParser().parseFromString((await answer.text()).replace(/<(style|script)[^]*?<\/\1>/g, ""), "text/html");
  document.title = fresh.title;
  for (const part of document.querySelectorAll("[data-live]")) {
    const other = fresh.getElementById(part.id);
    if (other) swap(part, other);
  }
  tick();
}
async function beat() {
  try {
    await refresh();
    live.className = "live on";
    live.textContent = "live";
  } catch {
    live.className = "live off";
    live.textContent = "no answer, trying again";
  }
  setTimeout(beat, every);
}
document.addEventListener("submit", (event) => {
  const ask = event.target.dataset.ask;
  if (ask && !confirm(ask)) event.preventDefault();
});
if (live) live.className = "live on", live.textContent = "live";
tick();
setInterval(tick, 1000);
if (live) setTimeout(beat, every);
