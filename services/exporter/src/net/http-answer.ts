/** The other side does not speak HTTP as it should. */
export class HttpProtocolError extends Error {
  override readonly name = 'HttpProtocolError';
}

export interface AnswerHead {
  readonly status: number;
  /** Names in lower case; those sent twice joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
}

const MAX_HEAD_BYTES = 64 * 1024;
const MAX_LINE_BYTES = 4 * 1024;
const LF = 0x0a;

/** How the body's end is known (RFC 9112, section 6.3). */
type Framing = 'length' | 'chunked' | 'close';

/**
 * Reads one answer to a GET, HTTP/1.0 or 1.1, out of the bytes of a connection. It is given views of a buffer that is read
 * into again and again, and gives views of it on: nothing of the body is copied or kept.
 */
export class AnswerReader {
  /** The whole body was given. */
  complete = false;
  /** The connection may be used for another answer. */
  reusable = false;
  private head: AnswerHead | undefined;
  private framing: Framing = 'close';
  /** Of the body, or of the chunk that is under way. */
  private left = 0;
  private state: 'head' | 'body' | 'size' | 'chunk-end' | 'trailer' = 'head';
  /** An unfinished head or line. */
  private text = '';

  constructor(
    private readonly onHead: (head: AnswerHead) => void,
    private readonly onBody: (piece: Buffer) => void,
  ) {}

  /** @throws HttpProtocolError, and what the callbacks throw */
  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.complete) throw new HttpProtocolError('the server sent more than its answer');
      if (this.state === 'body') at += this.pushBody(at === 0 ? bytes : bytes.subarray(at));
      else at += this.pushLine(bytes, at);
    }
  }

  /** The connection was closed by the other side. @throws HttpProtocolError when that is too early */
  end(): void {
    if (this.complete) return;
    if (this.state === 'body' && this.framing === 'close') {
      this.complete = true;
      return;
    }
    throw new HttpProtocolError(
      this.head === undefined
        ? 'the connection broke (closed before an answer came)'
        : 'the connection broke (closed before the end)',
    );
  }

  private pushBody(bytes: Buffer): number {
    const length = this.framing === 'close' ? bytes.length : Math.min(bytes.length, this.left);
    this.onBody(length === bytes.length ? bytes : bytes.subarray(0, length));
    if (this.framing === 'close') return length;
    this.left -= length;
    if (this.left === 0) {
      if (this.framing === 'chunked') this.state = 'chunk-end';
      else this.complete = true;
    }
    return length;
  }

  /** Returns how many bytes were used up. */
  private pushLine(bytes: Buffer, from: number): number {
    const end = bytes.indexOf(LF, from);
    const to = end < 0 ? bytes.length : end + 1;
    this.text += bytes.toString('latin1', from, to);
    const limit = this.state === 'head' ? MAX_HEAD_BYTES : MAX_LINE_BYTES;
    if (this.text.length > limit) throw new HttpProtocolError(`the server sent a line or head of over ${limit} bytes`);
    if (end >= 0) this.line();
    return to - from;
  }

  private line(): void {
    if (this.state === 'head') {
      if (/\r?\n\r?\n$/.test(this.text)) this.endHead(this.take());
      return;
    }
    const line = this.take().trimEnd();
    switch (this.state) {
      case 'chunk-end':
        if (line !== '') throw new HttpProtocolError('a chunk is longer than announced');
        this.state = 'size';
        break;
      case 'size': {
        const size = /^([0-9a-f]{1,12})[\t ]*(?:;.*)?$/i.exec(line)?.[1];
        if (size === undefined) throw new HttpProtocolError('a chunk without a size');
        this.left = Number.parseInt(size, 16);
        this.state = this.left === 0 ? 'trailer' : 'body';
        break;
      }
      case 'trailer':
        if (line === '') this.complete = true;
        break;
      case 'body':
        break;
    }
  }

  private take(): string {
    const { text } = this;
    this.text = '';
    return text;
  }

  private endHead(text: string): void {
    const head = parseHead(text);
    // 100 Continue and its like: the answer follows.
    if (head.status < 200) return;
    this.head = head;
    const { 'transfer-encoding': encoding, 'content-length': length, connection = '' } = head.headers;
    if (encoding !== undefined) {
      if (encoding.toLowerCase() !== 'chunked' || length !== undefined)
        throw new HttpProtocolError('the end of the body cannot be known');
      this.framing = 'chunked';
      this.state = 'size';
    } else if (length !== undefined) {
      if (!/^\d{1,16}$/.test(length)) throw new HttpProtocolError(`a Content-Length of ${length.slice(0, 40)}`);
      this.framing = 'length';
      this.left = Number(length);
      this.state = 'body';
    } else {
      this.framing = 'close';
      this.state = 'body';
    }
    if (head.status === 204 || head.status === 304 || (this.framing === 'length' && this.left === 0))
      this.complete = true;
    this.reusable = text.startsWith('HTTP/1.1') && this.framing !== 'close' && !/\bclose\b/i.test(connection);
    this.onHead(head);
  }
}

function parseHead(text: string): AnswerHead {
  const [first = '', ...lines] = text.split(/\r?\n/);
  const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first)?.[1];
  if (status === undefined) throw new HttpProtocolError('the server does not speak HTTP');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    if (line === '') continue;
    const field = /^([!#$%&'*+.^_`|~\w-]+):[\t ]*(.*?)[\t ]*$/.exec(line);
    if (field?.[1] === undefined || field[2] === undefined)
      throw new HttpProtocolError('the server sent a header that cannot be read');
    const name = field[1].toLowerCase();
    const before = headers[name];
    // The same length told twice is no contradiction.
    if (name === 'content-length' && before === field[2]) continue;
    headers[name] = before === undefined ? field[2] : `${before}, ${field[2]}`;
  }
  return { status: Number(status), headers };
}
