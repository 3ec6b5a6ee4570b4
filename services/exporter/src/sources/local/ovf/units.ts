/*
 * Units of OVF (DSP0004, programmatic units): `byte`, `byte * 2^20`, `byte * 10^9`; older descriptors write `MegaBytes`.
 */
const WORDS: Record<string, number> = {
  byte: 1,
  bytes: 1,
  kilobytes: 2 ** 10,
  megabytes: 2 ** 20,
  mb: 2 ** 20,
  gigabytes: 2 ** 30,
  gb: 2 ** 30,
  terabytes: 2 ** 40,
};

/** Bytes of a quantity; undefined for what cannot be read, or has no whole number of bytes. */
export function inBytes(quantity: string | undefined, units: string | undefined, fallback: string): number | undefined {
  if (quantity === undefined || !/^\d{1,16}$/.test(quantity)) return undefined;
  const factor = factorOf(units ?? fallback);
  const bytes = factor === undefined ? Number.NaN : Number(quantity) * factor;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

function factorOf(units: string): number | undefined {
  const plain = units.toLowerCase().replaceAll(/\s/g, '');
  const [, base, exponent] = /^bytes?\*(2|10)\^(\d{1,2})$/.exec(plain) ?? [];
  if (base !== undefined && exponent !== undefined) return Number(base) ** Number(exponent);
  const [, number] = /^bytes?\*(\d{1,15})$/.exec(plain) ?? [];
  return number === undefined ? WORDS[plain] : Number(number);
}
