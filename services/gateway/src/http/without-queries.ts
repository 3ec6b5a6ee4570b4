const QUERY = /(\bhttps?:\/\/[^\s?#"]*)\?[^\s"]*/gi;

/** A text whose addresses end at their `?`: what stands behind it is often a token, meant for the receiver alone. */
export const withoutQueries = (text: string): string => text.replaceAll(QUERY, '$1?[redacted]');
