/** @typedef {ReturnType<typeof openQueue>} Queue */
/**
 * @param {string} name
 * @param {(events: any[], isUnloading: boolean) => unknown} send
 * @param {{delay: number, batchSize: number, limit: number}} options
 * @param {(count: number, reason: unknown) => void} lost is called for dropped events
 */
export function openQueue(name: string, send: (events: any[], isUnloading: boolean) => unknown, { delay, batchSize, limit }: {
    delay: number;
    batchSize: number;
    limit: number;
}, lost: (count: number, reason: unknown) => void): {
    /** Store and send events from now on, those of pages that are gone too. */
    start(): void;
    /** Drop all events, also the stored ones, and store and send nothing more. */
    clear(): void;
    /** @param {string} item an event in JSON */
    add: (item: string) => void;
    /** Return a promise of whether everything has been delivered. */
    flush: () => Promise<boolean>;
    /** Store, and send at once. */
    unload(): void;
    /** Let another page take the events: this one may not come back. */
    release: () => void;
    /** Continue in a page that has come back; another one may have taken the events. */
    resume(): void;
};
export function size(text: string): number;
export type Queue = ReturnType<typeof openQueue>;
