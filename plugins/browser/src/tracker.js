import { backends } from "./backends.js";
import { openQueue, size } from "./queue.js";
import { uuid7 } from "./uuid.js";

const MAX_EVENT = 32_768; // bytes; what the endpoint accepts

/** @typedef {import("./queue.js").Queue} Queue */
/**
 * @typedef {object} Event
 * @property {string} id a UUIDv7
 * @property {string} name
 * @property {string} timestamp
 * @property {Record<string, any>} data
 * @property {Record<string, any>} context
 */
/**
 * Takes a batch; may return a promise. If it throws or rejects, it gets the events again, after
 * `retryAfter` seconds where the error has that property; not if the error's `isPermanent` is true.
 *
 * @callback Backend
 * @param {Event[]} events
 * @param {{endpoint: string, key: string, credentials?: RequestCredentials, isUnloading: boolean,
 *   drop: (count: number, reason: unknown) => void}} options `drop` reports events that are rejected for good
 * @returns {unknown}
 */
/**
 * Changes an event, or returns another one, or null to drop it.
 *
 * @callback Processor
 * @param {Event} event
 * @returns {Event | null | void}
 */
/** @typedef {Record<string, any> | (() => Record<string, any>)} Context a function is called at each event */
/** @typedef {"granted" | "pending" | "denied"} Consent */
/**
 * @typedef {object} Options
 * @property {string} [endpoint] the address of the collector
 * @property {string} [key] the public write key
 * @property {Record<string, Backend>} [backends] by name; `fetch` to the endpoint if not given
 * @property {Processor[]} [processors] are called in order with each event
 * @property {Record<string, Context>} [contexts] are entered from the beginning, by name
 * @property {Consent} [consent] "pending" keeps events in memory until `consent()` is called, "denied"
 *   drops them; by default "denied" with Global Privacy Control or Do Not Track, and else "granted"
 * @property {RequestCredentials} [credentials] of `fetch`; "include" sends cookies to another origin
 * @property {number} [delay] milliseconds that an event waits for others; 2000
 * @property {number} [batchSize] events at which a batch is sent without delay, and at most, up to 500; 100
 * @property {number} [limit] events that are kept for each back-end while it fails; the oldest are dropped; 1000
 */

/**
 * Sends events to back-ends, and never throws: what goes wrong is a warning in the console.
 *
 * @template {Record<string, any>} [Events=Record<string, any>] the data of each event by name
 */
export class Tracker {
  /** @type {Tracker<any> | undefined} the first tracker */
  static default;

  /** How many events were dropped: too large, rejected, or too many. */
  dropped = 0;

  /** @type {[string, Context][]} */
  #contexts;
  #processors;
  /** @type {Queue[]} */
  #queues;
  /** @type {Consent} */
  #consent;

  /** @param {Options} [options] */
  constructor(options = {}) {
    const { endpoint = "", key = "", credentials, delay = 2000, batchSize = 100, limit = 1000 } = options;
    const { contexts = {}, processors = [], consent = isRefused() ? "denied" : "granted" } = options;
    const drop = (/** @type {number} */ count, /** @type {unknown} */ reason) =>
      this.#drop(count, reason);
    this.#contexts = Object.entries(contexts);
    this.#processors = processors;
    this.#queues = Object.entries(options.backends ?? (endpoint && { server: backends.fetch })).map(
      ([name, send]) =>
        openQueue(
          `${key}:${name}`,
          (events, isUnloading) => send(events, { endpoint, key, credentials, isUnloading, drop }),
          { delay, batchSize, limit },
          drop,
        ),
    );
    this.#consent = consent;
    if (consent !== "pending") this.consent(consent === "granted");
    this.#listen();
    Tracker.default ??= this;
  }

  /**
   * Send an event to the first tracker.
   *
   * @param {string} name
   * @param {Record<string, any>} [data]
   * @returns {string | void} the id of the event
   */
  static emit(name, data) {
    return Tracker.default ? Tracker.default.emit(name, data) : warn("no tracker yet");
  }

  /**
   * Send an event.
   *
   * @template {keyof Events & string} Name
   * @param {Name} name
   * @param {{} extends Events[Name] ? [data?: Events[Name], at?: number] : [data: Events[Name], at?: number]} rest
   *   the data, which can be left out where no field is required, and when it happened, in whole milliseconds
   *   since 1970; now if not given
   * @returns {string} the id of the event
   */
  emit(name, ...[data, at = Date.now()]) {
    const id = uuid7(at);
    if (this.#consent !== "denied") {
      try {
        this.#enqueue({
          id,
          name,
          timestamp: new Date(at).toISOString(),
          data: copy(data),
          context: copy(this.#context()),
        });
      } catch (error) {
        this.#drop(1, error);
      }
    }
    return id;
  }

  /**
   * Add fields to the context of all events until `exitContext`. The context that was entered last wins.
   *
   * @param {string} name
   * @param {Context} context
   */
  enterContext(name, context) {
    this.#contexts.push([name, context]);
  }

  /** @param {string} name of the context that ends; of several with this name, the last one */
  exitContext(name) {
    const index = this.#contexts.findLastIndex(([entered]) => entered === name);
    if (index < 0) warn(`no context ${name}`);
    else this.#contexts.splice(index, 1);
  }

  /**
   * Call a function inside a context, which ends with the promise if the function returns one.
   *
   * @template Result
   * @param {string} name
   * @param {Context} context
   * @param {() => Result} call
   * @returns {Result}
   */
  context(name, context, call) {
    /** @type {[string, Context]} */
    const entered = [name, context];
    const exit = () => (this.#contexts = this.#contexts.filter((each) => each !== entered));
    /** @type {any} */
    let result;
    this.#contexts.push(entered);
    try {
      result = call();
      return result instanceof Promise ? /** @type {any} */ (result.finally(exit)) : result;
    } finally {
      result instanceof Promise || exit();
    }
  }

  /**
   * Say whether the user agrees. Nothing is stored or sent before; a refusal removes what is stored.
   *
   * @param {boolean} isGranted
   */
  consent(isGranted) {
    this.#consent = isGranted ? "granted" : "denied";
    for (const queue of this.#queues) isGranted ? queue.start() : queue.clear();
  }

  /**
   * Send all events now.
   *
   * @returns {Promise<boolean>} whether everything has been delivered
   */
  async flush() {
    const results = await Promise.all(this.#queues.map((queue) => queue.flush()));
    return results.every(Boolean);
  }

  /** @param {Event} event */
  #enqueue(event) {
    for (const processor of this.#processors) {
      try {
        const result = processor(event);
        if (result === null) return;
        event = result ?? event;
      } catch (error) {
        warn("a processor failed:", error);
      }
    }
    const item = JSON.stringify(event);
    if (size(item) > MAX_EVENT) this.#drop(1, `${event.name} is too large`);
    else for (const queue of this.#queues) queue.add(item);
  }

  #context() {
    const merged = {};
    for (const [name, context] of this.#contexts) {
      try {
        Object.assign(merged, typeof context === "function" ? context() : context);
      } catch (error) {
        warn(`the context ${name} failed:`, error);
      }
    }
    return merged;
  }

  /**
   * @param {number} count
   * @param {unknown} reason
   */
  #drop(count, reason) {
    this.dropped += count;
    warn(`${count} dropped:`, reason);
  }

  #listen() {
    /**
     * @param {string} type
     * @param {(queue: Queue, event: any) => void} call
     */
    const on = (type, call) =>
      globalThis.addEventListener?.(type, (event) => {
        for (const queue of this.#queues) call(queue, event);
      });
    on("visibilitychange", (queue) => document.visibilityState === "hidden" && queue.unload());
    on("pagehide", (queue) => {
      queue.unload();
      queue.release();
    });
    on("pageshow", (queue, event) => event.persisted && queue.resume());
    on("online", (queue) => queue.flush());
  }
}

/** @param {...unknown} words */
const warn = (...words) => console.warn("eventtracking:", ...words);

/** Return whether the browser says that its user does not want to be tracked. */
const isRefused = () => {
  const { globalPrivacyControl, doNotTrack } = /** @type {any} */ (globalThis.navigator ?? {});
  return globalPrivacyControl || doNotTrack === "1";
};

/**
 * Return a copy in terms of JSON; a field that JSON cannot express becomes a text.
 *
 * @param {Record<string, any>} [fields]
 * @returns {Record<string, any>}
 */
const copy = (fields) =>
  Object.fromEntries(
    Object.entries(fields ?? {}).map(([name, value]) => {
      try {
        value = JSON.stringify(value);
        return [name, value && JSON.parse(value)];
      } catch {
        return [name, String(value)];
      }
    }),
  );
