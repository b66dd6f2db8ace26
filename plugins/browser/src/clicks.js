/**
 * Emit an event for each click on an element with `data-event`, which is its name; its data are the
 * attributes `data-event-…`. Nothing else of the page is read.
 *
 * @param {{emit: (name: any, data: any) => unknown}} tracker
 */
export function trackClicks(tracker) {
  // Captured, so that an application that stops the click cannot hide it.
  addEventListener(
    "click",
    ({ target }) => {
      const found = target instanceof Element && target.closest("[data-event]");
      if (!(found instanceof HTMLElement || found instanceof SVGElement)) return;
      const { event, ...rest } = found.dataset;
      /** @type {Record<string, string | undefined>} */
      const data = {};
      for (const [name, value] of Object.entries(rest)) {
        // data-event-item-id → itemId → item_id
        if (/^event[A-Z]/.test(name)) {
          data[name.slice(5).replace(/\B[A-Z]/g, "_$&").toLowerCase()] = value;
        }
      }
      tracker.emit(event, data);
    },
    true,
  );
}
