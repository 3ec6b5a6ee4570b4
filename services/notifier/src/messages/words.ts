/** `250.0 GB` as the product writes sizes: 10^9 bytes, one decimal. */
export const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/** Seconds between two timestamps; never negative, whatever the clocks say. */
export const secondsBetween = (from: string, to: string): number =>
  Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);

export const plural = (count: number, noun: string, many = `${noun}s`): string =>
  `${count} ${count === 1 ? noun : many}`;

/** How many VMs came to which end. */
export interface Counts {
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
}

/** `47 of 50 VMs converted, 2 failed, 1 cancelled` */
export function outcomeOf({ completed, failed, cancelled }: Counts): string {
  const rest = [...(failed === 0 ? [] : [`${failed} failed`]), ...(cancelled === 0 ? [] : [`${cancelled} cancelled`])];
  return [`${completed} of ${plural(completed + failed + cancelled, 'VM')} converted`, ...rest].join(', ');
}
