"use strict";

// Search: "/" focuses, arrows choose, Enter opens, Escape leaves.
(() => {
  const root = document.body.dataset.root;
  const input = document.getElementById("search");
  const list = document.getElementById("results");
  const found = document.getElementById("found");
  const MOST = 12;
  let chosen = -1;

  const entries = (window.catalogIndex || []).map((entry) => ({
    ...entry,
    name: entry.t.toLowerCase(),
    fields: entry.f.map((field) => field.toLowerCase()),
    text: [entry.d, ...entry.g].join(" ").toLowerCase(),
  }));

  function score(entry, words) {
    let total = 0;
    for (const word of words) {
      const at = entry.name.indexOf(word);
      if (at >= 0) total += at === 0 || /[._/]/.test(entry.name[at - 1]) ? 40 : 25;
      else if (entry.fields.some((field) => field.includes(word))) total += 10;
      else if (entry.text.includes(word)) total += 5;
      else return 0;
    }
    return total + Math.min(4, Math.log10(1 + entry.n));
  }

  function marked(text, words) {
    const whole = document.createElement("span");
    const lower = text.toLowerCase();
    let at = 0;
    while (at < text.length) {
      const hits = words.map((word) => [lower.indexOf(word, at), word.length]).filter((hit) => hit[0] >= 0);
      if (!hits.length) break;
      const [start, length] = hits.reduce((a, b) => (b[0] < a[0] ? b : a));
      const mark = document.createElement("mark");
      mark.textContent = text.slice(start, start + length);
      whole.append(text.slice(at, start), mark);
      at = start + length;
    }
    whole.append(text.slice(at));
    return whole;
  }

  function option(entry, words, number) {
    const item = document.createElement("li");
    item.setAttribute("role", "presentation");
    const link = document.createElement("a");
    link.id = `result${number}`;
    link.setAttribute("role", "option");
    link.href = root + entry.u;
    link.tabIndex = -1;
    const code = document.createElement("code");
    code.append(marked(entry.t, words));
    const about = document.createElement("small");
    const field = entry.f.find((name) => words.some((word) => name.toLowerCase().includes(word)));
    about.append(marked(field && !words.every((word) => entry.name.includes(word)) ? `field ${field}` : entry.d, words));
    link.append(code, about);
    item.append(link);
    return item;
  }

  function choose(number) {
    const options = [...list.querySelectorAll("a")];
    chosen = options.length ? (number + options.length) % options.length : -1;
    options.forEach((link, at) => link.setAttribute("aria-selected", String(at === chosen)));
    if (chosen < 0) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", options[chosen].id);
    options[chosen].scrollIntoView({ block: "nearest" });
  }

  function open(shown) {
    list.hidden = !shown;
    input.setAttribute("aria-expanded", String(shown));
  }

  function search() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) {
      found.textContent = "";
      return open(false);
    }
    const hits = entries
      .map((entry) => [score(entry, words), entry])
      .filter((hit) => hit[0] > 0)
      .sort((a, b) => b[0] - a[0] || a[1].t.localeCompare(b[1].t));
    list.replaceChildren(...hits.slice(0, MOST).map((hit, at) => option(hit[1], words, at)));
    found.textContent = hits.length === 1 ? "1 result" : `${hits.length} results`;
    open(hits.length > 0);
    choose(0);
  }

  input.addEventListener("input", search);
  input.addEventListener("focus", search);
  input.addEventListener("blur", (event) => {
    if (!list.contains(event.relatedTarget)) open(false);
  });
  list.addEventListener("mousedown", (event) => event.preventDefault());
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen - 1);
    else if (event.key === "Enter") list.hidden || list.querySelectorAll("a")[chosen]?.click();
    else if (event.key === "Escape") list.hidden ? input.blur() : open(false);
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    const writing = event.target.closest("input, textarea, [contenteditable]");
    if (event.key !== "/" || writing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
})();

// Colours: as the system has them, or as chosen. A file:// page may have no storage.
(() => {
  const button = document.getElementById("theme");
  const themes = ["", "light", "dark"];
  const said = { "": "as the system has them", light: "light", dark: "dark" };
  let theme = "";
  try {
    theme = localStorage.getItem("catalog-theme") || "";
  } catch {}
  function show() {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    button.setAttribute("aria-label", `Colours: ${said[theme]}`);
    button.title = `Colours: ${said[theme]}`;
  }
  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    show();
    try {
      localStorage.setItem("catalog-theme", theme);
    } catch {}
  });
  if (!themes.includes(theme)) theme = "";
  show();
  button.hidden = false;
})();

// Order of the event types: by name in groups, or all of them by a number.
(() => {
  const buttons = document.getElementById("sort");
  if (!buttons) return;
  const sorted = document.getElementById("sorted");
  const groups = [...document.querySelectorAll("section.group")].filter((group) => group !== sorted);
  const items = groups.flatMap((group) => [...group.querySelectorAll(".rows > li")]);
  const homes = new Map(items.map((item) => [item, item.parentElement]));
  const keys = {
    count: (item) => Number(item.querySelector("[data-count]").textContent.replaceAll(",", "")),
    last: (item) => Date.parse(item.dataset.last) || 0,
  };
  function sort(by) {
    const key = keys[by];
    sorted.hidden = !key;
    for (const group of groups) group.hidden = Boolean(key);
    if (key) sorted.querySelector("ul").append(...[...items].sort((a, b) => key(b) - key(a)));
    else for (const item of items) homes.get(item).append(item);
    for (const button of buttons.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.dataset.by === by));
    }
  }
  buttons.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) sort(button.dataset.by);
  });
  buttons.hidden = false;
})();

// Live counts, where a server gives them.
(() => {
  const address = document.documentElement.dataset.live;
  if (!address) return;
  const status = document.getElementById("live");
  const INTERVAL = 2000;

  function set(place, number) {
    const text = number.toLocaleString("en-US");
    if (place.textContent === text) return;
    place.textContent = text;
    place.classList.remove("fresh");
    void place.offsetWidth;
    place.classList.add("fresh");
  }

  async function poll() {
    try {
      const response = await fetch(address);
      if (!response.ok) throw new Error(response.statusText);
      const counts = await response.json();
      for (const place of document.querySelectorAll("[data-count]")) {
        set(place, counts.events[place.dataset.count] || 0);
      }
      for (const place of document.querySelectorAll("[data-total]")) set(place, counts.total);
      status.textContent = "Counts are live.";
    } catch {
      status.textContent = "The server does not answer: counts stand still.";
    }
    setTimeout(poll, INTERVAL);
  }
  poll();
})();
