export { backends } from "./backends.js";
export { Tracker } from "./tracker.js";
export type Backend = import("./tracker.js").Backend;
export type Consent = import("./tracker.js").Consent;
export type Context = import("./tracker.js").Context;
export type Event = import("./tracker.js").Event;
export type Options = import("./tracker.js").Options;
export type Processor = import("./tracker.js").Processor;
