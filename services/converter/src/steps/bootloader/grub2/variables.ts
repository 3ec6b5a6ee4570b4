/** A kernel takes 2 to 4 KiB; what is longer is no command line but an attempt to fill the memory. */
const LONGEST = 16 * 1024;

/** GRUB's `$name` and `${name}`; unknown ones are empty, as in GRUB. */
export function expand(text: string, variables: ReadonlyMap<string, string>): string {
  if (!text.includes('$')) return text;
  let length = 0;
  return text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced: string | undefined, plain: string | undefined) => {
    const value = variables.get(braced ?? plain ?? '') ?? '';
    length += value.length;
    return length > LONGEST ? '' : value;
  });
}
