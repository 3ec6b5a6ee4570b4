/** What `hyperctl autocomplete` prints, as files where a distribution wants them. */
export async function completions(cli) {
  return {};
}
