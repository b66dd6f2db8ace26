import { failing, openPage, settle, stored } from "./page.js";
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { backends, Tracker } from "@eventtracking/browser";

const warnings = mock.method(console, "warn", () => {});
const names = (events) => events.map((event) => event.name);

beforeEach(() => {
  openPage();
  warnings.mock.resetCalls();
  mock.method(Math, "random", () => 1);
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_800_000_000_000 });
});
afterEach(() => mock.timers.reset());

async function pass(milliseconds) {
  mock.timers.tick(milliseconds);
  await settle();
}

function open(send, options) {
  return new Tracker({ key: "k", backends: { send }, ...options });
}

test("events wait for others, and are stored meanwhile", async () => {
  const send = failing(0);
  const tracker = open(send);
  tracker.emit("a");
  await pass(1000);
  tracker.emit("b");
  await pass(999);
  assert.deepEqual(names(stored()), ["a", "b"]);
  assert.deepEqual(send.calls, []);
  await pass(1);
  assert.deepEqual(send.calls, [["a", "b"]]);
  assert.deepEqual(stored(), []);
});

test("a full batch does not wait", async () => {
  const send = failing(0);
  const tracker = open(send, { batchSize: 2 });
  for (const name of "abcde") tracker.emit(name);
  await pass(0);
  assert.deepEqual(send.calls, [["a", "b"], ["c", "d"], ["e"]]);
});

test("what comes while a slow batch is sent is sent after it, and what comes later too", async () => {
  const calls = [];
  let answer;
  const tracker = open((events) => {
    calls.push(names(events));
    return new Promise((resolve) => (answer = resolve));
  });
  tracker.emit("a");
  await pass(2000);
  tracker.emit("b");
  await pass(5000);
  answer();
  await settle();
  answer();
  await settle();
  tracker.emit("c");
  await pass(2000);
  assert.deepEqual(calls, [["a"], ["b"], ["c"]]);
});

test("batches stay below 60 KiB", async () => {
  const sizes = [];
  const tracker = open((events) => void sizes.push(Buffer.byteLength(JSON.stringify(events))));
  for (let n = 0; n < 40; n++) tracker.emit("a", { text: "ä".repeat(500 * (n % 20)) });
  assert.equal(await tracker.flush(), true);
  assert.ok(sizes.length > 5 && Math.max(...sizes) < 60 * 1024, sizes);
});

test("a failure is retried later and later, with the same events in order", async () => {
  const send = failing(3);
  const tracker = open(send);
  tracker.emit("a");
  await pass(2000);
  for (const [wait, calls] of [[999, 1], [1, 2], [1999, 2], [1, 3], [3999, 3], [1, 4]]) {
    await pass(wait);
    assert.equal(send.calls.length, calls);
  }
  assert.deepEqual(new Set(send.calls.flat()), new Set(["a"]));
  assert.deepEqual(stored(), []);
});

test("nothing is sent before Retry-After, by flush, unload or the next page", async () => {
  const send = failing(1, { retryAfter: 60 });
  const tracker = open(send);
  tracker.emit("a");
  await pass(2000);
  tracker.emit("b");
  assert.equal(await tracker.flush(), false);
  dispatch("pagehide");
  dispatch("online");
  await settle();
  const next = failing(0);
  open(next);
  await pass(59_999);
  assert.deepEqual([send.calls.length, next.calls.length], [1, 0]);
  await pass(5000);
  assert.deepEqual(next.calls, [["a", "b"]]);
});

test("an endless Retry-After is shortened to an hour", async () => {
  const send = failing(1, { retryAfter: 1e12 });
  open(send).emit("a");
  await pass(2000);
  await pass(3_599_000);
  assert.equal(send.calls.length, 1);
  await pass(1000);
  assert.equal(send.calls.length, 2);
});

test("a batch that is refused for good is dropped with a warning", async () => {
  const send = failing(1, { isPermanent: true });
  const tracker = open(send);
  tracker.emit("a");
  await pass(2000);
  tracker.emit("b");
  await pass(2000);
  assert.deepEqual(send.calls, [["a"], ["b"]]);
  assert.equal(tracker.dropped, 1);
  assert.equal(warnings.mock.callCount(), 1);
});

test("a queue is bounded: the oldest events are dropped, counted and warned of", async () => {
  const send = failing(1);
  const tracker = open(send, { limit: 3 });
  for (const name of "abcde") tracker.emit(name);
  assert.equal(tracker.dropped, 2);
  assert.equal(await tracker.flush(), false);
  assert.deepEqual(send.calls, [["c", "d", "e"]]);
  assert.deepEqual(names(stored()), ["c", "d", "e"]);
});

test("a page that goes away sends at once what is not in flight", async () => {
  const calls = [];
  const tracker = open((events, { isUnloading }) => {
    calls.push([names(events), isUnloading]);
    return new Promise(() => {});
  });
  tracker.emit("a");
  await pass(2000);
  tracker.emit("b");
  dispatch("pagehide");
  dispatch("pagehide");
  assert.deepEqual(calls, [[["a"], false], [["b"], true]]);
  assert.deepEqual(names(stored()), ["a", "b"], "until they are acknowledged");
});

test("the next page takes over what a page has left", async () => {
  open(() => new Promise(() => {})).emit("a");
  await settle();
  const send = failing(0);
  const tracker = open(send);
  tracker.emit("b");
  await pass(2000);
  assert.deepEqual(send.calls, [["a", "b"]]);
  assert.deepEqual(stored(), []);
});

test("events of another key or back-end are left alone", async () => {
  open(() => new Promise(() => {})).emit("a");
  await settle();
  const memory = backends.memory();
  assert.equal(await new Tracker({ key: "other", backends: { send: memory } }).flush(), true);
  assert.equal(await new Tracker({ key: "k", backends: { memory } }).flush(), true);
  assert.deepEqual(memory.events, []);
  assert.deepEqual(names(stored()), ["a"]);
});

test("a page that comes back does not send what another one has taken", async () => {
  const send = failing(9);
  const tracker = open(send);
  tracker.emit("a");
  await pass(2000);
  dispatch("pagehide");
  await settle();
  const next = failing(0);
  await open(next).flush();
  dispatch("pageshow", { persisted: true });
  await pass(10_000);
  assert.deepEqual([send.calls.length, next.calls], [2, [["a"]]]);
});

test("what others have written into the storage does no harm", async () => {
  localStorage.setItem("eventtracking:k:send:x", "{not json");
  localStorage.setItem("eventtracking:k:send:y", '{"events":5}');
  localStorage.setItem("eventtracking:k:send:z", '{"until":1e99,"events":[{"name":"a"}]}');
  localStorage.setItem("unrelated", "[]");
  const send = failing(0);
  const tracker = open(send);
  tracker.emit("b");
  await pass(3_600_000);
  assert.deepEqual(send.calls, [["a", "b"]]);
  assert.deepEqual(Object.keys(localStorage), ["unrelated"]);
});

test("without storage, or room in it, events are kept in memory", async () => {
  for (const access of ["denied", "full"]) {
    Object.defineProperty(globalThis, "localStorage", {
      configurable: true,
      get() {
        if (access === "denied") throw new DOMException("denied", "SecurityError");
        return { getItem: () => null, setItem: () => JSON.parse("full"), removeItem() {} };
      },
    });
    const send = failing(1);
    const tracker = open(send);
    tracker.emit("a");
    await pass(2000);
    dispatch("pageshow", { persisted: true });
    await pass(1000);
    assert.deepEqual(send.calls, [["a"], ["a"]]);
  }
  Object.defineProperty(globalThis, "localStorage", { configurable: true, writable: true });
});

test("events emitted while a batch is in flight follow it", async () => {
  const done = [];
  const calls = [];
  const tracker = open((events) => {
    calls.push(names(events));
    return new Promise((resolve) => done.push(resolve));
  });
  tracker.emit("a");
  const flushed = tracker.flush();
  tracker.emit("b");
  done[0]();
  await settle();
  done[1]();
  assert.equal(await flushed, true);
  assert.deepEqual(calls, [["a"], ["b"]]);
});
