/** The copy of one queue in localStorage. A Web Lock says that the page of the queue is alive. */

import { uuid7 } from "./uuid.js";

const locks = globalThis.navigator?.locks;

/** @param {string} name of the queue, the same in all pages */
export function openStore(name) {
  const prefix = `eventtracking:${name}:`;
  const own = prefix + uuid7(Date.now());
  let release = () => {};

  const keys = () => Object.keys(localStorage).filter((key) => key.startsWith(prefix));

  /**
   * @template Result
   * @param {() => Result} access
   * @returns {Result | undefined} undefined where the browser has no storage, or no room
   */
  const attempt = (access) => {
    try {
      return access();
    } catch {}
  };

  return {
    /**
     * Keep other pages from taking the copy, until `release`, and take the copies of pages that are gone.
     *
     * @param {(text: string) => void} take
     */
    hold(take) {
      const held = new Promise((resolve) => (release = () => resolve(0)));
      locks?.request(own, () => held).catch(() => {});
      attempt(() => {
        for (const key of keys().filter((key) => key !== own)) {
          const move = () => {
            const text = localStorage.getItem(key);
            if (text) take(text);
            localStorage.removeItem(key);
          };
          // Without locks (on plain HTTP) a page that lives may lose its copy: both send it, with the same ids.
          if (!locks) move();
          else locks.request(key, { ifAvailable: true }, (lock) => lock && move()).catch(() => {});
        }
      });
    },

    /** Let other pages take the copy. */
    release: () => release(),

    read: () => attempt(() => localStorage.getItem(own)),

    /**
     * Replace the copy; remove it if the text is empty.
     *
     * @param {string} text
     */
    write: (text) =>
      attempt(() => {
        if (text) localStorage.setItem(own, text);
        else localStorage.removeItem(own);
        return true;
      }),

    /** Remove the copies of all pages. */
    clear: () => attempt(() => keys().forEach((key) => localStorage.removeItem(key))),
  };
}
