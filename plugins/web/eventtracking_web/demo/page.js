"use strict";

const find = (id) => document.getElementById(id);
const contexts = JSON.parse(find("eventtracking-contexts").textContent);
const tracker = new eventtracking.Tracker({
  endpoint: "/e",
  key: "demo",
  contexts: {
    ...contexts,
    page: () => ({ page: location.pathname, title: document.title, unit: "loops" }),
  },
  consent: "granted", // nothing leaves this machine
  delay: 100,
});

// There is no video: only its clock runs.
const LENGTH = 60;
let position = 0;
let clock = 0;

function show() {
  find("progress").value = position;
  find("time").textContent = `0:${String(Math.floor(position)).padStart(2, "0")} / 1:00`;
  find("play").textContent = clock ? "Pause" : "Play";
}

function pause() {
  clearInterval(clock);
  clock = 0;
  tracker.emit("edx.video.paused", { id: "loops", current_time: position });
}

find("play").addEventListener("click", () => {
  if (clock) {
    pause();
  } else {
    if (position >= LENGTH) position = 0;
    clock = setInterval(() => {
      position = Math.min(LENGTH, position + 1);
      if (position === LENGTH) pause();
      show();
    }, 1000);
    tracker.emit("edx.video.played", { id: "loops", current_time: position });
  }
  show();
});

// The problem.
let attempts = 0;
find("check").addEventListener("click", () => {
  const answer = document.querySelector("#answers input:checked")?.value;
  if (answer === undefined) {
    find("verdict").textContent = "Choose an answer.";
    return;
  }
  attempts += 1;
  const success = answer === "2" ? "correct" : "incorrect";
  find("verdict").textContent = success === "correct" ? "Correct" : "Not yet";
  tracker.emit("edx.problem.checked", { problem_id: "last-number", answer, success, attempts });
});

// The navigation.
const parts = [...document.querySelectorAll("nav button")];
for (const button of parts) {
  button.addEventListener("click", () => {
    const from = parts.find((each) => each.ariaPressed === "true").dataset.part;
    const to = button.dataset.part;
    if (from === to) return;
    if (clock) pause();
    for (const each of parts) {
      each.ariaPressed = String(each === button);
      find(each.dataset.part).hidden = each !== button;
    }
    show();
    tracker.emit("edx.unit.navigated", { from, to });
  });
}

// The events, as a backend got them.
let number = 0;

function line(kind, value) {
  const element = document.createElement("code");
  element.className = kind;
  element.textContent = JSON.stringify(value);
  return element;
}

function item(event) {
  const element = document.createElement("li");
  const time = document.createElement("time");
  time.textContent = new Date(event.timestamp).toLocaleTimeString();
  const name = document.createElement("strong");
  name.textContent = event.name;
  element.append(time, name, line("data", event.data), line("context", event.context));
  return element;
}

async function poll() {
  try {
    const answer = await (await fetch(`/events?after=${number}`)).json();
    number = answer.number;
    find("events").prepend(...answer.events.map(item).reverse());
    find("count").textContent = number;
  } catch {
    // The server has ended, or starts again.
  }
  setTimeout(poll, 300);
}

show();
poll();
tracker.emit("edx.unit.viewed", { part: "video" });
