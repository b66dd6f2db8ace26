/** The classic script: a global `eventtracking`, which may have been a stub before (see the README). */

import { backends, Tracker } from "./index.js";

/** @typedef {[string, Iterable<any>, number]} Call a method, its arguments and the time */

const scope = /** @type {any} */ (globalThis);
/** @type {Call[]} */
const earlier = scope.eventtracking?.q ?? [];

/** @type {(...call: Call) => any} */
const run = (method, [...args], at) => {
  /** @type {any} */
  const tracker = Tracker.default;
  if (method === "configure") return configure(args[0]);
  if (!tracker) return void earlier.push([method, args, at]);
  return method === "emit" ? tracker.emit(args[0], args[1], at) : tracker[method](...args);
};

const replay = () => earlier.splice(0).forEach((call) => run(...call));

/** @param {import("./tracker.js").Options} options */
const configure = (options) => {
  const tracker = (Tracker.default = new Tracker(options));
  replay();
  return tracker;
};

scope.eventtracking = { backends, Tracker };
for (const method of "configure emit enterContext exitContext context consent flush".split(" ")) {
  scope.eventtracking[method] = (/** @type {any[]} */ ...args) => run(method, args, Date.now());
}

const { endpoint, key, consent } = globalThis.document?.currentScript?.dataset ?? {};
if (endpoint) configure({ endpoint, key, consent: /** @type {any} */ (consent) });
else replay();
