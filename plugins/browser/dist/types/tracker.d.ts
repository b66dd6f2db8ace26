/** @typedef {import("./queue.js").Queue} Queue */
/**
 * @typedef {object} Event
 * @property {string} id a UUIDv7
 * @property {string} name
 * @property {string} timestamp
 * @property {Record<string, any>} data
 * @property {Record<string, any>} context
 */
/**
 * Takes a batch; may return a promise. If it throws or rejects, it gets the events again, after
 * `retryAfter` seconds where the error has that property; not if the error's `isPermanent` is true.
 *
 * @callback Backend
 * @param {Event[]} events
 * @param {{endpoint: string, key: string, credentials?: RequestCredentials, isUnloading: boolean,
 *   drop: (count: number, reason: unknown) => void}} options `drop` reports events that are rejected for good
 * @returns {unknown}
 */
/**
 * Changes an event, or returns another one, or null to drop it.
 *
 * @callback Processor
 * @param {Event} event
 * @returns {Event | null | void}
 */
/** @typedef {Record<string, any> | (() => Record<string, any>)} Context a function is called at each event */
/** @typedef {"granted" | "pending" | "denied"} Consent */
/**
 * @typedef {object} Options
 * @property {string} [endpoint] the address of the collector
 * @property {string} [key] the public write key
 * @property {Record<string, Backend>} [backends] by name; `fetch` to the endpoint if not given
 * @property {Processor[]} [processors] are called in order with each event
 * @property {Record<string, Context>} [contexts] are entered from the beginning, by name
 * @property {Consent} [consent] "pending" keeps events in memory until `consent()` is called, "denied"
 *   drops them; by default "denied" with Global Privacy Control or Do Not Track, and else "granted"
 * @property {RequestCredentials} [credentials] of `fetch`; "include" sends cookies to another origin
 * @property {number} [delay] milliseconds that an event waits for others; 2000
 * @property {number} [batchSize] events at which a batch is sent without delay, and at most, up to 500; 100
 * @property {number} [limit] events that are kept for each back-end while it fails; the oldest are dropped; 1000
 */
/**
 * Sends events to back-ends, and never throws: what goes wrong is a warning in the console.
 *
 * @template {Record<string, any>} [Events=Record<string, any>] the data of each event by name
 */
export class Tracker<Events extends Record<string, any> = Record<string, any>> {
    /** @type {Tracker<any> | undefined} the first tracker */
    static default: Tracker<any> | undefined;
    /**
     * Send an event to the first tracker.
     *
     * @param {string} name
     * @param {Record<string, any>} [data]
     * @returns {string | void} the id of the event
     */
    static emit(name: string, data?: Record<string, any>): string | void;
    /** @param {Options} [options] */
    constructor(options?: Options);
    /** How many events were dropped: too large, rejected, or too many. */
    dropped: number;
    /**
     * Send an event.
     *
     * @template {keyof Events & string} Name
     * @param {Name} name
     * @param {{} extends Events[Name] ? [data?: Events[Name], at?: number] : [data: Events[Name], at?: number]} rest
     *   the data, which can be left out where no field is required, and when it happened, in whole milliseconds
     *   since 1970; now if not given
     * @returns {string} the id of the event
     */
    emit<Name extends keyof Events & string>(name: Name, ...[data, at]: {} extends Events[Name] ? [data?: Events[Name], at?: number] : [data: Events[Name], at?: number]): string;
    /**
     * Add fields to the context of all events until `exitContext`. The context that was entered last wins.
     *
     * @param {string} name
     * @param {Context} context
     */
    enterContext(name: string, context: Context): void;
    /** @param {string} name of the context that ends; of several with this name, the last one */
    exitContext(name: string): void;
    /**
     * Call a function inside a context, which ends with the promise if the function returns one.
     *
     * @template Result
     * @param {string} name
     * @param {Context} context
     * @param {() => Result} call
     * @returns {Result}
     */
    context<Result>(name: string, context: Context, call: () => Result): Result;
    /**
     * Say whether the user agrees. Nothing is stored or sent before; a refusal removes what is stored.
     *
     * @param {boolean} isGranted
     */
    consent(isGranted: boolean): void;
    /**
     * Send all events now.
     *
     * @returns {Promise<boolean>} whether everything has been delivered
     */
    flush(): Promise<boolean>;
    #private;
}
export type Queue = import("./queue.js").Queue;
export type Event = {
    /**
     * a UUIDv7
     */
    id: string;
    name: string;
    timestamp: string;
    data: Record<string, any>;
    context: Record<string, any>;
};
/**
 * Takes a batch; may return a promise. If it throws or rejects, it gets the events again, after
 * `retryAfter` seconds where the error has that property; not if the error's `isPermanent` is true.
 */
export type Backend = (events: Event[], options: {
    endpoint: string;
    key: string;
    credentials?: RequestCredentials;
    isUnloading: boolean;
    drop: (count: number, reason: unknown) => void;
}) => unknown;
/**
 * Changes an event, or returns another one, or null to drop it.
 */
export type Processor = (event: Event) => Event | null | void;
/**
 * a function is called at each event
 */
export type Context = Record<string, any> | (() => Record<string, any>);
export type Consent = "granted" | "pending" | "denied";
export type Options = {
    /**
     * the address of the collector
     */
    endpoint?: string | undefined;
    /**
     * the public write key
     */
    key?: string | undefined;
    /**
     * by name; `fetch` to the endpoint if not given
     */
    backends?: Record<string, Backend> | undefined;
    /**
     * are called in order with each event
     */
    processors?: Processor[] | undefined;
    /**
     * are entered from the beginning, by name
     */
    contexts?: Record<string, Context> | undefined;
    /**
     * "pending" keeps events in memory until `consent()` is called, "denied"
     * drops them; by default "denied" with Global Privacy Control or Do Not Track, and else "granted"
     */
    consent?: Consent | undefined;
    /**
     * of `fetch`; "include" sends cookies to another origin
     */
    credentials?: RequestCredentials | undefined;
    /**
     * milliseconds that an event waits for others; 2000
     */
    delay?: number | undefined;
    /**
     * events at which a batch is sent without delay, and at most, up to 500; 100
     */
    batchSize?: number | undefined;
    /**
     * events that are kept for each back-end while it fails; the oldest are dropped; 1000
     */
    limit?: number | undefined;
};
