/**
 * The page, without its query, which may hold secrets: `contexts: { page }`.
 *
 * @returns {{page: string, title: string}}
 */
export const page = () => ({ page: location.origin + location.pathname, title: document.title });

/**
 * Emit an event at each page: when it is loaded, shown from the back/forward cache, or changed by the
 * History API.
 *
 * @param {{emit: (name: any, data: any) => unknown}} tracker
 * @param {{name?: string}} [options]
 */
export function trackPages(tracker, { name = "page.viewed" } = {}) {
  let { referrer } = document;
  let last = "";
  const view = () => {
    const viewed = page();
    last = viewed.page;
    tracker.emit(name, { ...viewed, referrer: referrer.split(/[?#]/)[0] });
    referrer = last;
  };
  const changed = () => page().page !== last && view();
  for (const method of /** @type {const} */ (["pushState", "replaceState"])) {
    const original = history[method];
    history[method] = function (...args) {
      original.apply(this, args);
      changed();
    };
  }
  addEventListener("popstate", changed);
  addEventListener("pageshow", (event) => event.persisted && view());
  if (/** @type {any} */ (document).prerendering) {
    document.addEventListener("prerenderingchange", view, { once: true });
  } else view();
}
