/**
 * Emit an event for each click on an element with `data-event`, which is its name; its data are the
 * attributes `data-event-…`. Nothing else of the page is read.
 *
 * @param {{emit: (name: any, data: any) => unknown}} tracker
 */
export function trackClicks(tracker: {
    emit: (name: any, data: any) => unknown;
}): void;
