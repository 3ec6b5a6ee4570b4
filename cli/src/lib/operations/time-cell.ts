/** From this width on a terminal has room for seconds. */
const WIDE = 100;

/** UTC in a table: `2026-01-17T22:00:05Z`, on a narrow terminal `2026-01-17 22:00Z`. */
export function timeCell(time: string, columns?: number): string {
  const seconds = time.replace(/\.\d+/, '');
  return columns === undefined || columns >= WIDE ? seconds : `${seconds.slice(0, 16).replace('T', ' ')}Z`;
}
