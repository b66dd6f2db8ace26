/**
 * Emit an event at each page: when it is loaded, shown from the back/forward cache, or changed by the
 * History API.
 *
 * @param {{emit: (name: any, data: any) => unknown}} tracker
 * @param {{name?: string}} [options]
 */
export function trackPages(tracker: {
    emit: (name: any, data: any) => unknown;
}, { name }?: {
    name?: string;
}): void;
export function page(): {
    page: string;
    title: string;
};
