/** Back-ends: functions that take a batch of events. One that throws gets the batch again. */

/** @typedef {import("./tracker.js").Backend} Backend */
/** @typedef {import("./tracker.js").Event} Event */

const TIMEOUT = 30_000;

/** @type {(key: string, events: Event[]) => string} */
const body = (key, events) => JSON.stringify({ key, sent_at: new Date(), events });

export const backends = {
  /**
   * Send batches with `fetch`. A batch is delivered when the endpoint has accepted it; if the page is gone
   * by then, the next page sends it again, with the same ids.
   *
   * @type {(...args: Parameters<Backend>) => Promise<void>}
   */
  async fetch(events, { endpoint, key, credentials, drop }) {
    // A text needs no preflight; keepalive lets the request outlive the page.
    const response = await fetch(endpoint, {
      method: "POST",
      body: body(key, events),
      keepalive: true,
      credentials,
      signal: AbortSignal.timeout?.(TIMEOUT),
    });
    const { ok, status, headers } = response;
    if (!ok) {
      const after = headers.get("Retry-After") ?? 0;
      throw Object.assign(new Error(`status ${status}`), {
        isPermanent: /^4(?!08|25|29)/.test(`${status}`),
        retryAfter: isNaN(+after) ? (Date.parse(`${after}`) - Date.now()) / 1000 : +after,
      });
    }
    // A page, such as that of a portal or of a login, is not JSON: it throws, and acknowledges nothing.
    const answer = await response.text();
    const { rejected = [] } = JSON.parse(answer || "{}");
    for (const { index, error } of rejected) drop(1, `${events[index]?.name}: ${error}`);
  },

  /**
   * Send batches with `sendBeacon`. A batch counts as delivered when the browser has taken it, whatever the
   * endpoint answers: nothing is sent twice, but a batch may be lost.
   *
   * @type {(...args: Parameters<Backend>) => void}
   */
  beacon(events, { endpoint, key }) {
    if (!navigator.sendBeacon(endpoint, body(key, events))) throw new Error("no room");
  },

  /**
   * Print events in the console.
   *
   * @type {Backend}
   */
  console: (events) => events.forEach((event) => console.info(event.name, event)),

  /** Return a back-end that collects events in its `events`, for tests. */
  memory() {
    /** @type {Event[]} */
    const kept = [];
    return Object.assign((/** @type {Event[]} */ events) => void kept.push(...events), {
      events: kept,
    });
  },
};
