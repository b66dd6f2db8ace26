/**
 * Emit one event when the page is hidden for the first time, with its web vitals, where the browser
 * measures them: `ttfb`, `fcp`, `lcp` and `inp` in milliseconds, and `cls`.
 *
 * @param {{emit: (name: any, data: any) => unknown}} tracker
 * @param {{name?: string}} [options]
 */
export function trackVitals(tracker: {
    emit: (name: any, data: any) => unknown;
}, { name }?: {
    name?: string;
}): void;
