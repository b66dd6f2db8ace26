/**
 * Emit one event when the page is hidden for the first time, with its web vitals, where the browser
 * measures them: `ttfb`, `fcp`, `lcp` and `inp` in milliseconds, and `cls`.
 *
 * @param {{emit: (name: any, data: any) => unknown}} tracker
 * @param {{name?: string}} [options]
 */
export function trackVitals(tracker, { name = "page.measured" } = {}) {
  /** @type {Record<string, number>} */
  const vitals = {};
  /** @type {(() => void)[]} */
  const takers = [];

  /**
   * @param {string} type
   * @param {(entry: any) => void} take
   * @param {object} [options]
   */
  const observe = (type, take, options) => {
    try {
      const observer = new PerformanceObserver((list) => list.getEntries().forEach(take));
      observer.observe({ type, buffered: true, ...options });
      takers.push(() => observer.takeRecords().forEach(take));
    } catch {} // this browser does not measure it
  };

  observe("navigation", (entry) => (vitals.ttfb = entry.responseStart));
  observe("paint", (entry) => {
    if (entry.name === "first-contentful-paint") vitals.fcp = entry.startTime;
  });
  observe("largest-contentful-paint", (entry) => (vitals.lcp = entry.startTime));
  const interaction = (/** @type {any} */ entry) => {
    if (entry.interactionId) vitals.inp = Math.max(vitals.inp ?? 0, entry.duration);
  };
  observe("event", interaction, { durationThreshold: 40 });

  // Shifts count together while they are less than a second apart, and for five seconds at most.
  let first = 0;
  let last = 0;
  let sum = 0;
  observe("layout-shift", ({ hadRecentInput, startTime, value }) => {
    if (hadRecentInput) return;
    if (startTime - last > 1000 || startTime - first > 5000) [first, sum] = [startTime, 0];
    last = startTime;
    sum += value;
    vitals.cls = Math.max(vitals.cls ?? 0, sum);
  });

  let isDone = false;
  const report = () => {
    if (isDone) return;
    isDone = true;
    for (const take of takers) take();
    for (const key in vitals) vitals[key] = Math.round(vitals[key] * 1000) / 1000;
    tracker.emit(name, vitals);
  };
  // Captured: before the tracker sends what it has.
  document.addEventListener(
    "visibilitychange",
    () => document.visibilityState === "hidden" && report(),
    true,
  );
  addEventListener("pagehide", report, true);
}
