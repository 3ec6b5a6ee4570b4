/** What a test asks of the proxy: which requests are met, and what happens to them. */
import type { IncomingHttpHeaders } from 'node:http';

/** Requests that a rule is for; what is left out matches all. */
export interface Match {
  method?: string;
  /** Of the path without its query, decoded. */
  path?: RegExp;
  /** Name of a SOAP method, `HttpNfcLeaseProgress`. */
  soap?: string;
  /** Only these of the requests that match the above, counted from 1 by each rule for itself. */
  nth?: number | readonly number[];
}

type HeaderChange = Readonly<Record<string, string | undefined>>;

/** Byte counts are those of the answer's body. */
export type Fault =
  /** The connection is torn down. */
  | { kind: 'cut'; afterBytes: number }
  /** Nothing comes for a time (ms), or until the proxy is stopped; then the rest. */
  | { kind: 'stall'; afterBytes: number; forMs?: number }
  /** Answered by the proxy itself. */
  | { kind: 'status'; status: number }
  /** 200 without a body. */
  | { kind: 'empty' }
  /** The body ends early, as if that were all: a correct chunked end, no Content-Length. */
  | { kind: 'short'; bytes: number }
  /** All bits of one byte are turned. */
  | { kind: 'flip'; at: number }
  /** The whole file with 200, whatever range was asked for. */
  | { kind: 'no-range' }
  /** Headers of the answer, also made from what they are; undefined takes one away. */
  | { kind: 'headers'; set: HeaderChange | ((headers: IncomingHttpHeaders) => HeaderChange) }
  /** In the text of a SOAP answer. */
  | { kind: 'replace'; what: RegExp; by: string }
  /** A SOAP fault instead of the answer; vCenter does not see the call. */
  | { kind: 'soap-fault'; fault: string; words?: string }
  /** HttpNfcLeaseGetManifest, with the SHA-1 of what came from vCenter, or a wrong one. */
  | { kind: 'manifest'; wrong?: boolean }
  /** From the next connection on the proxy shows another certificate. This request is answered as it would be. */
  | { kind: 'new-certificate' };

export interface Rule extends Match {
  fault: Fault;
}

interface Met {
  method: string;
  path: string;
  soap: string | undefined;
}

/** The rules in force. Of those that match a request the first one counts. */
export class Rules {
  private readonly rules: { rule: Rule; seen: number; hits: number }[] = [];

  /** Returns what takes the rule away again, and how often it struck. */
  add(rule: Rule): { remove(): void; hits(): number } {
    const entry = { rule, seen: 0, hits: 0 };
    this.rules.push(entry);
    return {
      remove: () => {
        const at = this.rules.indexOf(entry);
        if (at >= 0) this.rules.splice(at, 1);
      },
      hits: () => entry.hits,
    };
  }

  clear(): void {
    this.rules.length = 0;
  }

  strike(met: Met): Fault | undefined {
    let first: Fault | undefined;
    for (const entry of this.rules) {
      const { method, path, soap, nth } = entry.rule;
      if (method !== undefined && method !== met.method) continue;
      if (path !== undefined && !path.test(met.path)) continue;
      if (soap !== undefined && soap !== met.soap) continue;
      entry.seen++;
      if (nth !== undefined && ![nth].flat().includes(entry.seen)) continue;
      if (first !== undefined) continue;
      entry.hits++;
      first = entry.rule.fault;
    }
    return first;
  }
}
