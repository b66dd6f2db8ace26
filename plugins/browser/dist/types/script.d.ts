/**
 * a method, its arguments and the time
 */
export type Call = [string, Iterable<any>, number];
