import { openPage } from "./page.js";
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { backends, Tracker } from "@eventtracking/browser";

let memory, tracker;
const make = (options) => {
  memory = backends.memory();
  tracker = new Tracker({ backends: { memory }, ...options });
  return tracker;
};
const warnings = mock.method(console, "warn", () => {});

async function emitted() {
  assert.equal(await tracker.flush(), true);
  return memory.events;
}

beforeEach(() => {
  openPage();
  warnings.mock.resetCalls();
  make();
});

test("emit returns the id of an event with its time, data and context", async () => {
  const before = Date.now();
  const id = tracker.emit("shop.cart.added", { item: 7 });
  const [event] = await emitted();
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const { timestamp, ...rest } = event;
  assert.deepEqual(rest, { id, name: "shop.cart.added", data: { item: 7 }, context: {} });
  const at = Date.parse(timestamp);
  assert.ok(before <= at && at <= Date.now());
  assert.equal(parseInt(id.slice(0, 13).replace("-", ""), 16), at);
});

test("ids differ, and sort by time", () => {
  const ids = Array.from({ length: 1000 }, (_, at) => tracker.emit("a", {}, at * 1e9));
  assert.equal(new Set(ids).size, 1000);
  assert.deepEqual(ids, [...ids].sort());
});

test("the sample of the original design works", async () => {
  Tracker.default = tracker;
  tracker.enterContext("request", { user_id: 10938 });
  Tracker.emit("navigation.request", { url: "http://www.edx.org/some/path/1" });
  tracker.enterContext("session", { user_id: 11111, session_id: "2987lkjdyoioey" });
  Tracker.emit("navigation.request", { url: "http://www.edx.org/some/path/2" });
  tracker.exitContext("session");
  Tracker.emit("navigation.request", { url: "http://www.edx.org/some/path/3" });
  assert.deepEqual(
    (await emitted()).map(({ name, context, data }) => [name, context, data.url.at(-1)]),
    [
      ["navigation.request", { user_id: 10938 }, "1"],
      ["navigation.request", { user_id: 11111, session_id: "2987lkjdyoioey" }, "2"],
      ["navigation.request", { user_id: 10938 }, "3"],
    ],
  );
});

test("the first tracker is the default, and emitting without one is warned of", () => {
  Tracker.default = undefined;
  assert.equal(Tracker.emit("a"), undefined);
  assert.equal(warnings.mock.callCount(), 1);
  const first = make();
  make();
  assert.equal(Tracker.default, first);
});

test("a context ends with its function, its promise, or its exception", async () => {
  assert.equal(tracker.context("a", { a: 1 }, () => (tracker.emit("in"), 5)), 5);
  assert.throws(() => tracker.context("a", { a: 1 }, () => JSON.parse("no")), SyntaxError);
  tracker.emit("out");
  const later = tracker.context("b", { b: 1 }, async () => {
    await null;
    tracker.emit("async");
  });
  await later;
  tracker.emit("after");
  const contexts = (await emitted()).map(({ name, context }) => [name, context]);
  assert.deepEqual(contexts, [["in", { a: 1 }], ["out", {}], ["async", { b: 1 }], ["after", {}]]);
});

test("a context may be a function, called for each event; one that fails is warned of", async () => {
  let n = 0;
  make({ contexts: { count: () => ({ n: ++n }), bad: () => JSON.parse("no"), fixed: { a: 1 } } });
  tracker.emit("a");
  tracker.emit("b");
  const contexts = (await emitted()).map((event) => event.context);
  assert.deepEqual(contexts, [{ n: 1, a: 1 }, { n: 2, a: 1 }]);
  assert.equal(warnings.mock.callCount(), 2);
});

test("leaving a context that was not entered is a warning", () => {
  tracker.exitContext("nothing");
  assert.equal(warnings.mock.callCount(), 1);
});

test("processors change, replace and drop; one that fails drops nothing", async () => {
  make({
    processors: [
      (event) => void delete event.data.secret,
      () => JSON.parse("no"),
      (event) => (event.name === "dropped" ? null : event),
      (event) => ({ ...event, name: `shop.${event.name}` }),
    ],
  });
  const data = { secret: 1, kept: 2 };
  tracker.emit("a", data);
  tracker.emit("dropped");
  const events = await emitted();
  assert.deepEqual(events.map(({ name, data }) => [name, data]), [["shop.a", { kept: 2 }]]);
  assert.deepEqual(data, { secret: 1, kept: 2 }, "the caller's object is not changed");
  assert.equal(warnings.mock.callCount(), 2);
});

test("later changes of the data do not change the event", async () => {
  const data = { list: [1] };
  tracker.emit("a", data);
  data.list.push(2);
  assert.deepEqual((await emitted())[0].data, { list: [1] });
});

test("values that JSON cannot express become texts, and the event is sent", async () => {
  const circle = {};
  circle.self = circle;
  tracker.emit("a", { circle, big: 10n, none: undefined, date: new Date(0), ok: 1 });
  const expected = {
    circle: "[object Object]",
    big: "10",
    date: "1970-01-01T00:00:00.000Z",
    ok: 1,
  };
  assert.deepEqual((await emitted())[0].data, expected);
});

test("emit never throws", async () => {
  const hostile = new Proxy({}, { ownKeys: () => JSON.parse("no") });
  for (const args of [[], ["a", null], ["a", 5], ["a", "text"], ["a", hostile], ["a", {}, NaN]]) {
    tracker.emit(...args);
  }
  assert.deepEqual(
    (await emitted()).map(({ name, data }) => [name, data]),
    [[undefined, {}], ["a", {}], ["a", {}], ["a", { ...["t", "e", "x", "t"] }]],
  );
  assert.equal(tracker.dropped, 2);
  make({ processors: [null, () => 5, () => ({ circle: 10n })] });
  tracker.emit("a");
  assert.equal(tracker.dropped, 1);
});

test("an event that the endpoint would refuse for its size is dropped with a warning", async () => {
  tracker.emit("large", { text: "ä".repeat(17_000) });
  tracker.emit("small");
  assert.deepEqual((await emitted()).map((event) => event.name), ["small"]);
  assert.equal(tracker.dropped, 1);
  assert.match(warnings.mock.calls[0].arguments.join(" "), /large is too large/);
});

test("each back-end gets its own copies, and fails on its own", async () => {
  const calls = [];
  const hostile = (events) => {
    calls.push(events.length);
    events[0].name = "changed";
    throw new Error("no");
  };
  make();
  tracker = new Tracker({ backends: { hostile, memory } });
  tracker.emit("a");
  assert.equal(await tracker.flush(), false);
  assert.deepEqual(memory.events.map((event) => event.name), ["a"]);
  assert.deepEqual(calls, [1]);
  tracker.consent(false); // no more attempts
});

test("a tracker without back-ends takes events", async () => {
  tracker = new Tracker();
  assert.equal(typeof tracker.emit("a"), "string");
  assert.equal(await tracker.flush(), true);
});
