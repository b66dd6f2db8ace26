import "./page.js";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, mock, test } from "node:test";
import { backends, Tracker } from "@eventtracking/browser";

const warnings = mock.method(console, "warn", () => {});
const requests = [];
let answer = [200, {}, '{"accepted": 1, "rejected": []}'];
let server, endpoint;

before(async () => {
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    requests.push({ method: request.method, type: request.headers["content-type"], body });
    response.writeHead(answer[0], answer[1]).end(answer[2]);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  endpoint = `http://127.0.0.1:${server.address().port}/e`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const send = (events = [{ name: "a" }]) => {
  const dropped = [];
  const options = { endpoint, key: "public", isUnloading: false };
  const drop = (count, reason) => dropped.push([count, reason]);
  return backends.fetch(events, { ...options, drop }).then(() => dropped);
};

test("a batch is a text with the key and the time, which needs no preflight", async () => {
  const tracker = new Tracker({ endpoint, key: "public" });
  const id = tracker.emit("a", { n: 1 });
  assert.equal(await tracker.flush(), true);
  const { method, type, body } = requests.at(-1);
  assert.deepEqual([method, type], ["POST", "text/plain;charset=UTF-8"]);
  const { key, sent_at, events } = JSON.parse(body);
  assert.equal(key, "public");
  assert.ok(Math.abs(Date.parse(sent_at) - Date.now()) < 60_000);
  assert.deepEqual(events.map((event) => [event.id, event.data]), [[id, { n: 1 }]]);
});

test("events that the endpoint rejects are dropped with a warning, the others delivered", async () => {
  answer = [200, {}, '{"accepted": 1, "rejected": [{"index": 1, "error": "the name"}]}'];
  assert.deepEqual(await send([{ name: "a" }, { name: "b" }]), [[1, "b: the name"]]);
  const tracker = new Tracker({ endpoint });
  tracker.emit("a");
  tracker.emit("b");
  assert.equal(await tracker.flush(), true);
  assert.equal(tracker.dropped, 1);
  assert.equal(warnings.mock.callCount(), 1);
});

test("an empty answer is an acknowledgement too", async () => {
  answer = [204, {}, ""];
  assert.deepEqual(await send(), []);
});

for (const page of ["<!doctype html><title>Log in</title>", '{"accepted": 1, "rej', "null"]) {
  test(`the answer ${page} is a reason to try again`, async () => {
    answer = [200, { "content-type": "text/html" }, page];
    await assert.rejects(send(), ({ isPermanent }) => !isPermanent);
  });
}

for (const [status, isPermanent] of [
  [400, true], [403, true], [404, true], [413, true], [415, true],
  [408, false], [425, false], [429, false], [500, false], [502, false], [503, false],
]) {
  test(`the status ${status} is ${isPermanent ? "final" : "a reason to try again"}`, async () => {
    answer = [status, {}, "{}"];
    await assert.rejects(send(), { isPermanent, retryAfter: 0 });
  });
}

test("Retry-After is read as seconds or as a date", async () => {
  answer = [503, { "retry-after": "7" }, ""];
  await assert.rejects(send(), { retryAfter: 7 });
  answer = [503, { "retry-after": new Date(Date.now() + 60_000).toUTCString() }, ""];
  await assert.rejects(send(), ({ retryAfter }) => retryAfter > 50 && retryAfter <= 60);
  answer = [503, { "retry-after": "soon" }, ""];
  await assert.rejects(send(), ({ retryAfter }) => Number.isNaN(retryAfter));
});

test("an endpoint that cannot be reached is a reason to try again", async () => {
  const closed = { endpoint: "http://127.0.0.1:1/", key: "", drop() {} };
  await assert.rejects(backends.fetch([], closed), ({ isPermanent }) => !isPermanent);
});

test("the console shows events by name", () => {
  const info = mock.method(console, "info", () => {});
  backends.console([{ name: "a" }, { name: "b" }]);
  assert.deepEqual(info.mock.calls.map((call) => call.arguments[0]), ["a", "b"]);
});
