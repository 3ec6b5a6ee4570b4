const QUERY = /(\bhttps?:\/\/[^\s?#"]*)\?[^\s"]*/gi;
/** Slack has the secret of a webhook in its path. */
const SLACK = /(\bhttps?:\/\/hooks\.slack(?:-gov)?\.com\/)[^\s"]+/gi;

/** A text whose addresses end at their `?`: what stands behind it is often a token, meant for the receiver alone. */
export const withoutQueries = (text: string): string =>
  text.replaceAll(SLACK, '$1[redacted]').replaceAll(QUERY, '$1?[redacted]');
