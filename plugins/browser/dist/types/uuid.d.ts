export function uuid7(at: number): string;
