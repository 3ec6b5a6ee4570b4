/** One server-sent event. */
export interface SseEvent {
  readonly event: string;
  readonly data: string;
  /** The last id seen so far: what Last-Event-ID carries after a broken connection. */
  readonly id: string | undefined;
}

/** The parser of https://html.spec.whatwg.org/multipage/server-sent-events.html: chunks may be cut anywhere. */
export class SseParser {
  #rest = '';
  #event = '';
  #data: string[] = [];
  #id: string | undefined;
  /** Milliseconds between reconnects, where the server asked for it. */
  retryMs: number | undefined;

  constructor(lastId?: string) {
    this.#id = lastId;
  }

  push(chunk: string): SseEvent[] {
    const events: SseEvent[] = [];
    this.#rest += chunk;
    for (;;) {
      const end = /\r\n|\n|\r(?=[^\n])/.exec(this.#rest);
      if (end === null) return events;
      const line = this.#rest.slice(0, end.index);
      this.#rest = this.#rest.slice(end.index + end[0].length);
      const event = this.#line(line.replace(/^\ufeff/, ''));
      if (event !== undefined) events.push(event);
    }
  }

  #line(line: string): SseEvent | undefined {
    if (line === '') {
      const event =
        this.#data.length === 0
          ? undefined
          : { event: this.#event === '' ? 'message' : this.#event, data: this.#data.join('\n'), id: this.#id };
      this.#event = '';
      this.#data = [];
      return event;
    }
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#event = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
    return undefined;
  }
}
