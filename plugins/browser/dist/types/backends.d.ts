export namespace backends {
    function fetch(args_0: import("./tracker.js").Event[], args_1: {
        endpoint: string;
        key: string;
        credentials?: RequestCredentials;
        isUnloading: boolean;
        drop: (count: number, reason: unknown) => void;
    }): Promise<void>;
    function beacon(args_0: import("./tracker.js").Event[], args_1: {
        endpoint: string;
        key: string;
        credentials?: RequestCredentials;
        isUnloading: boolean;
        drop: (count: number, reason: unknown) => void;
    }): void;
    let console: Backend;
    /** Return a back-end that collects events in its `events`, for tests. */
    function memory(): ((events: Event[]) => undefined) & {
        events: import("./tracker.js").Event[];
    };
}
export type Backend = import("./tracker.js").Backend;
export type Event = import("./tracker.js").Event;
