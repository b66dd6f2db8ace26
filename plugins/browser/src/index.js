/** Track events in the browser. */

/** @typedef {import("./tracker.js").Backend} Backend */
/** @typedef {import("./tracker.js").Consent} Consent */
/** @typedef {import("./tracker.js").Context} Context */
/** @typedef {import("./tracker.js").Event} Event */
/** @typedef {import("./tracker.js").Options} Options */
/** @typedef {import("./tracker.js").Processor} Processor */

export { backends } from "./backends.js";
export { Tracker } from "./tracker.js";
