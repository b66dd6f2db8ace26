import { openPage, settle, stored } from "./page.js";
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { backends, Tracker } from "@eventtracking/browser";

const names = (events) => events.map((event) => event.name);
let memory;
const open = (options) => new Tracker({ backends: { memory }, ...options });

beforeEach(() => {
  openPage();
  memory = backends.memory();
});
afterEach(() => delete globalThis.navigator);

test("before consent events are kept in memory: nothing is stored or sent", async () => {
  const tracker = open({ consent: "pending", delay: 0 });
  tracker.emit("a");
  dispatch("pagehide");
  dispatch("online");
  await settle();
  assert.equal(await tracker.flush(), false);
  assert.deepEqual([memory.events, Object.keys(localStorage)], [[], []]);
  tracker.consent(true);
  assert.equal(await tracker.flush(), true);
  assert.deepEqual(names(memory.events), ["a"]);
});

test("a refusal drops what is kept, and what comes", async () => {
  const tracker = open({ consent: "pending" });
  tracker.emit("a");
  tracker.consent(false);
  tracker.emit("b");
  tracker.consent(true);
  tracker.emit("c");
  assert.equal(await tracker.flush(), true);
  assert.deepEqual(names(memory.events), ["c"]);
});

test("consent that is withdrawn removes what is stored, also by pages that are gone", async () => {
  localStorage.setItem("eventtracking::memory:gone", '{"until":0,"events":[]}');
  const tracker = open();
  tracker.emit("a");
  await settle();
  assert.deepEqual(names(stored()), ["a"]);
  tracker.consent(false);
  await settle();
  assert.deepEqual(Object.keys(localStorage), []);
});

for (const signal of [{ globalPrivacyControl: true }, { doNotTrack: "1" }]) {
  test(`${Object.keys(signal)} is a refusal, unless the user is asked`, async () => {
    globalThis.navigator = signal;
    const tracker = open();
    assert.equal(typeof tracker.emit("a"), "string");
    assert.equal(await tracker.flush(), true);
    assert.deepEqual([memory.events, Object.keys(localStorage)], [[], []]);
    tracker.consent(true);
    tracker.emit("b");
    const granted = open({ consent: "granted" });
    granted.emit("c");
    await Promise.all([tracker.flush(), granted.flush()]);
    assert.deepEqual(names(memory.events), ["b", "c"]);
  });
}
