const SECOND = 1_000;

/** `45s`, `12m`, `3h12m`, `2d4h`: at most six cells below 100 years. */
export function shortSpan(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / SECOND));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60), minutes % 60];
  if (days > 0) return `${days}d${hours === 0 || days >= 10 ? '' : `${hours}h`}`;
  return `${hours}h${rest === 0 ? '' : `${String(rest).padStart(2, '0')}m`}`;
}

export const since = (time: string, now: number): string => shortSpan(now - Date.parse(time));

const two = (value: number): string => String(value).padStart(2, '0');

/** `22:14:03`, local. */
export function clock(at: number): string {
  const date = new Date(at);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** `1,250`: counts of a fleet are read at a glance. */
export const count = (value: number): string => String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',');

/** `120 GB`, `1.5 TB`: space is read, not reckoned with. */
export function spaceWord(bytes: number): string {
  if (bytes >= 1e12) return `${(bytes / 1e12).toFixed(1)} TB`;
  return bytes >= 1e9 ? `${Math.floor(bytes / 1e9)} GB` : `${Math.floor(bytes / 1e6)} MB`;
}
