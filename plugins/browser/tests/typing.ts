// What tsc checks in the code of users.

import { backends, Tracker, type Options, type Processor } from "@eventtracking/browser";
import { trackClicks } from "@eventtracking/browser/clicks";
import { page, trackPages } from "@eventtracking/browser/pages";
import { trackVitals } from "@eventtracking/browser/vitals";

interface Events {
  "shop.cart.added": { item_id: number };
  "shop.cart.left": { items_left?: number };
}

const redact: Processor = (event) => void delete event.data.email;
const options: Options = {
  endpoint: "/e",
  key: "public",
  backends: { server: backends.fetch, beacon: backends.beacon, log: backends.console, mine: (events) => events.length },
  processors: [redact, (event) => (event.name === "a" ? null : event)],
  contexts: { page, fixed: { course_id: 1 } },
  consent: "pending",
};
const tracker = new Tracker<Events>(options);

const id: string = tracker.emit("shop.cart.added", { item_id: 7 });
tracker.emit("shop.cart.left", {});
tracker.emit("shop.cart.left");
tracker.emit("shop.cart.added", { item_id: 7 }, Date.now());
// @ts-expect-error a field is required
tracker.emit("shop.cart.added");
// @ts-expect-error nor is undefined the data
tracker.emit("shop.cart.added", undefined, Date.now());
// @ts-expect-error a field is missing
tracker.emit("shop.cart.added", {});
// @ts-expect-error there is no such field
tracker.emit("shop.cart.left", { item_id: 7 });
// @ts-expect-error a text is no number
tracker.emit("shop.cart.added", { item_id: "7" });
// @ts-expect-error there is no such event
tracker.emit("shop.cart.add", { item_id: 7 });
// @ts-expect-error there is no such consent
new Tracker({ consent: "maybe" });
new Tracker().emit("any.event", { any: ["data", id] });
new Tracker().emit("any.event");

const seven: number = tracker.context("c", { a: 1 }, () => 7);
const delivered: Promise<boolean> = tracker.flush();
const memory = backends.memory();
memory.events.map((event) => event.timestamp.length + seven);
for (const track of [trackClicks, trackPages, trackVitals]) track(tracker);
delivered.then(() => tracker.dropped.toFixed());
