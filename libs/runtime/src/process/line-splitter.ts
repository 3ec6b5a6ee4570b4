import { StringDecoder } from 'node:string_decoder';

/** Characters of a line that are kept: what a program prints may have no end of line at all. */
const MAX_LINE = 500;

/** Cuts the output of a program into its lines, each bounded. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  #line = '';
  #cut = false;

  constructor(private readonly onLine: (line: string) => void) {}

  write(chunk: Buffer | string): void {
    const text = typeof chunk === 'string' ? chunk : this.#decoder.write(chunk);
    let from = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      this.#add(text.slice(from, end));
      this.#finish();
      from = end + 1;
    }
    this.#add(text.slice(from));
  }

  /** What came behind the last end of line. */
  end(): void {
    this.#add(this.#decoder.end());
    if (this.#line !== '') this.#finish();
  }

  #add(text: string): void {
    // A carriage return begins the line anew, as a terminal shows it.
    const anew = text.lastIndexOf('\r', text.length - 2) + 1;
    if (anew > 0) this.#line = '';
    const room = MAX_LINE - this.#line.length;
    const rest = anew > 0 ? text.slice(anew) : text;
    this.#cut = (anew > 0 ? false : this.#cut) || rest.length > room;
    this.#line += rest.slice(0, Math.max(0, room));
  }

  #finish(): void {
    this.onLine(this.#cut ? `${this.#line}…` : this.#line);
    this.#line = '';
    this.#cut = false;
  }
}
