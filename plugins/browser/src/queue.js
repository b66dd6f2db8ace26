/** The events that one back-end has not taken yet, in memory and in localStorage. */

import { openStore } from "./store.js";

const MAX_BATCH = 60_000; // bytes; a browser sends 64 KiB for a page that goes away
const MAX_WAIT = 3_600_000;
const MAX_BACKOFF = 300_000;

const encoder = new TextEncoder();

/** @param {string} text */
export const size = (text) => encoder.encode(text).length;

/** @typedef {ReturnType<typeof openQueue>} Queue */

/**
 * @param {string} name
 * @param {(events: any[], isUnloading: boolean) => unknown} send
 * @param {{delay: number, batchSize: number, limit: number}} options
 * @param {(count: number, reason: unknown) => void} lost is called for dropped events
 */
export function openQueue(name, send, { delay, batchSize, limit }, lost) {
  const store = openStore(name);
  /** @type {Set<string>} */
  const sending = new Set();
  /** @type {string[]} events in JSON */
  let items = [];
  let isStarted = false;
  let isStored = false;
  let isSaving = false;
  let failures = 0;
  let until = 0; // when the server may be asked again
  let due = Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Promise<boolean> | undefined} */
  let flushing;

  const isWaiting = () => Date.now() < until;

  const save = () => {
    isSaving = false;
    if (isStarted) {
      isStored = !!store.write(items.length ? `{"until":${until},"events":[${items}]}` : "");
    }
  };

  const cancel = () => {
    clearTimeout(timer);
    due = Infinity;
  };

  /** @param {number} wait milliseconds */
  const schedule = (wait) => {
    const time = Math.max(Date.now() + wait, until);
    if (!isStarted || time >= due) return;
    cancel();
    due = time;
    timer = setTimeout(() => {
      due = Infinity; // a flush that is going on does not cancel
      flush();
    }, time - Date.now());
  };

  /** @param {string[]} more */
  const append = (more) => {
    items.push(...more);
    const excess = items.length - limit;
    if (excess > 0) {
      items.splice(0, excess);
      lost(excess, "queue is full");
    }
    if (!isStarted || !items.length) return;
    schedule(failures || items.length < batchSize ? delay : 0);
    if (!isSaving) queueMicrotask(save); // once for all events of a task
    isSaving = true;
  };

  const hold = () =>
    store.hold((text) => {
      load(text);
      save(); // before the other copy is removed
    });

  /** @param {string} text of a store */
  const load = (text) => {
    try {
      const stored = JSON.parse(text);
      until = Math.max(until, Math.min(stored.until, Date.now() + MAX_WAIT));
      append(stored.events.map((/** @type {object} */ event) => JSON.stringify(event)));
    } catch {} // not ours
  };

  /** Return the events that are not in flight, in batches that the server takes. */
  const batches = () => {
    /** @type {string[][]} */
    const result = [];
    let room = 0;
    for (const item of items) {
      if (sending.has(item)) continue;
      const needed = size(item) + 1;
      const last = result.at(-1);
      if (last && needed <= room && last.length < batchSize) last.push(item);
      else {
        result.push([item]);
        room = MAX_BATCH;
      }
      room -= needed;
    }
    return result;
  };

  /**
   * @param {string[]} batch
   * @param {boolean} isUnloading
   */
  const deliver = async (batch, isUnloading) => {
    let isDone = true;
    for (const item of batch) sending.add(item);
    try {
      await send(
        batch.map((item) => JSON.parse(item)),
        isUnloading,
      );
      failures = 0;
    } catch (error) {
      const { isPermanent, retryAfter } = /** @type {any} */ (error ?? {});
      if (isPermanent) lost(batch.length, error);
      else {
        isDone = false;
        if (retryAfter > 0) until = Date.now() + Math.min(retryAfter * 1000, MAX_WAIT);
        const backoff = Math.min(1000 * 2 ** failures++, MAX_BACKOFF);
        schedule(backoff * (0.5 + Math.random() / 2));
      }
    }
    if (isDone) items = items.filter((item) => !batch.includes(item));
    for (const item of batch) sending.delete(item);
    save();
    return isDone;
  };

  const drain = async () => {
    cancel();
    for (let batch; ([batch] = batches()) && batch; ) {
      if (isWaiting()) schedule(0);
      if (!isStarted || isWaiting() || !(await deliver(batch, false))) return false;
    }
    return !items.length;
  };

  const flush = () => (flushing ??= drain().finally(() => (flushing = undefined)));

  return {
    /** Store and send events from now on, those of pages that are gone too. */
    start() {
      if (isStarted) return;
      isStarted = true;
      append([]);
      hold();
    },

    /** Drop all events, also the stored ones, and store and send nothing more. */
    clear() {
      isStarted = false;
      cancel();
      items = [];
      store.release();
      store.clear();
    },

    /** @param {string} item an event in JSON */
    add: (item) => append([item]),

    /** Return a promise of whether everything has been delivered. */
    flush,

    /** Store, and send at once. */
    unload() {
      save();
      if (!isStarted || (isStored && isWaiting())) return;
      for (const batch of batches()) deliver(batch, true);
    },

    /** Let another page take the events: this one may not come back. */
    release: store.release,

    /** Continue in a page that has come back; another one may have taken the events. */
    resume() {
      if (!isStarted) return;
      if (isStored) {
        items = [];
        const text = store.read();
        if (text) load(text);
      }
      hold();
    },
  };
}
