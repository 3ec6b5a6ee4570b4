import type { JobLog } from '@hyper2kvm/contracts';
import { plainText } from '../telemetry/plain-text.js';

export interface LogFields {
  readonly step?: string;
  readonly source?: string;
  readonly course?: boolean;
}
export type LogLine = Pick<JobLog, 'level' | 'message' | 'number'> & LogFields;

/** Of one start of an attempt. What a conversion says is some hundred lines; only a defect, or a hostile guest, says more. */
const MOST = { sentences: 2_000, output: 2_000 };
const MAX_CHARS = 4_000;

/** Numbers the lines of a start and keeps them within bounds. Errors are always kept. */
export class JobLogLines {
  #number = 0;
  readonly #counts = { sentences: 0, output: 0 };

  /** The line as it is kept; with it, or in its place, a sentence where the bound is reached. */
  add(level: JobLog['level'], message: string, fields: LogFields): LogLine[] {
    const kind = level === 'debug' ? 'output' : 'sentences';
    this.#counts[kind] += 1;
    const over = this.#counts[kind] - MOST[kind];
    const line = { level, message: plainText(message, MAX_CHARS), ...fields };
    if (over <= 0 || level === 'error') return [this.#numbered(line)];
    return over === 1 ? [this.#numbered({ level: 'warn', message: fullWords(kind) })] : [];
  }

  #numbered(line: Omit<LogLine, 'number'>): LogLine {
    this.#number += 1;
    return { ...line, number: this.#number };
  }
}

const fullWords = (kind: keyof typeof MOST): string =>
  kind === 'output'
    ? `The output of programs is left out from here on: ${MOST.output.toLocaleString('en')} lines of it are kept for each start`
    : `Lines other than errors are left out from here on: ${MOST.sentences.toLocaleString('en')} are kept for each start`;
