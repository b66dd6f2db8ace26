/** What a page has and Node.js does not: storage, and events of the window. Import it first. */

class Storage {
  getItem(key) {
    return this[key] ?? null;
  }
  setItem(key, value) {
    if (String(value).length > 5_000_000) throw new Error("QuotaExceededError");
    this[key] = String(value);
  }
  removeItem(key) {
    delete this[key];
  }
}

export function openPage() {
  globalThis.localStorage = new Storage();
  const events = new EventTarget();
  globalThis.addEventListener = events.addEventListener.bind(events);
  globalThis.dispatch = (type, fields) =>
    events.dispatchEvent(Object.assign(new Event(type), fields));
}

/** What is stored, as events. */
export const stored = () =>
  Object.values(localStorage).flatMap((text) => JSON.parse(text).events);

/** Let promises and input settle. */
export async function settle() {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** A back-end that fails as often as is said, and what it got. */
export function failing(times, fields) {
  const calls = [];
  return Object.assign(
    async (events) => {
      calls.push(events.map((event) => event.name));
      if (times-- > 0) throw Object.assign(new Error("no"), fields);
    },
    { calls },
  );
}

openPage();
