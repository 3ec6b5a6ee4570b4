/** `a=1,b=two%20words`, as OpenTelemetry writes lists in variables. */
export function pairs(text: string | undefined): Record<string, string> {
  const found = (text ?? '').split(',').flatMap((pair): [string, string][] => {
    const [key, ...rest] = pair.split('=');
    const name = key?.trim() ?? '';
    return name === '' || rest.length === 0 ? [] : [[name, decoded(rest.join('=').trim())]];
  });
  return Object.fromEntries(found);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
