import "./page.js";
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { runInThisContext } from "node:vm";

const load = async () =>
  runInThisContext(await readFile(new URL("../dist/eventtracking.min.js", import.meta.url), "utf8"));
const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
const stub = readme.match(/<script>\n(.*?)<\/script>/s)[1];

test("calls before the script has loaded are made up for, with their times", async () => {
  runInThisContext(stub);
  const before = Date.now();
  eventtracking.emit("early", { n: 1 });
  eventtracking.enterContext("c", { c: 1 });
  let memory;
  await new Promise((resolve) => setTimeout(resolve, 20));
  await load();
  const loaded = Date.now();
  eventtracking.emit("late");
  memory = eventtracking.backends.memory();
  eventtracking.configure({ backends: { memory } });
  assert.equal(eventtracking.emit("now").length, 36);
  assert.equal(await eventtracking.flush(), true);
  assert.deepEqual(
    memory.events.map(({ name, data, context }) => [name, data, context]),
    [["early", { n: 1 }, {}], ["late", {}, { c: 1 }], ["now", {}, { c: 1 }]],
  );
  const early = Date.parse(memory.events[0].timestamp);
  assert.ok(before <= early && early <= loaded - 15);
});

test("the script can be configured before it has loaded", async () => {
  runInThisContext(stub);
  const got = [];
  eventtracking.emit("a");
  eventtracking.configure({ backends: { test: (events) => void got.push(...events) } });
  eventtracking.emit("b");
  await load();
  await eventtracking.flush();
  assert.deepEqual(got.map((event) => event.name), ["a", "b"]);
});
