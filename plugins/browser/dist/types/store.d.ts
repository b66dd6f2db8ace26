/** @param {string} name of the queue, the same in all pages */
export function openStore(name: string): {
    /**
     * Keep other pages from taking the copy, until `release`, and take the copies of pages that are gone.
     *
     * @param {(text: string) => void} take
     */
    hold(take: (text: string) => void): void;
    /** Let other pages take the copy. */
    release: () => void;
    read: () => string | null | undefined;
    /**
     * Replace the copy; remove it if the text is empty.
     *
     * @param {string} text
     */
    write: (text: string) => boolean | undefined;
    /** Remove the copies of all pages. */
    clear: () => void | undefined;
};
