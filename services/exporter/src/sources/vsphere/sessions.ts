import { createHash } from 'node:crypto';
import { orAborted } from './abort.js';
import { Connection } from './connection.js';
import { hostOf, type Endpoint } from './endpoint.js';
import { VimSession } from './session.js';
import type { CallOptions } from './soap-http.js';

export interface SessionTimes {
  /** A session that nobody uses is logged out after this time. */
  readonly idleMs: number;
  /** vCenter ends a session that was silent for 30 minutes. */
  readonly keepAliveMs: number;
}

const TIMES: SessionTimes = { idleMs: 5 * 60_000, keepAliveMs: 5 * 60_000 };
const TOUCH_TIMEOUT_MS = 30_000;

interface Shared {
  readonly login: Promise<Connection>;
  connection: Connection | undefined;
  users: number;
  timer: NodeJS.Timeout | undefined;
}

/**
 * One session per vCenter and account for everything that this worker asks: a vCenter has room for few, and answers with
 * "out of HTTP sessions" when each job logs in. Whoever gives another password has another session.
 */
export class VcenterSessions {
  private readonly shared = new Map<string, Shared>();
  /** Out of the pool, but still in use or logging out. */
  private readonly leaving = new Set<Promise<void>>();
  private readonly closing = new AbortController();

  constructor(private readonly times: SessionTimes = TIMES) {}

  /** @throws JobError VCENTER_UNREACHABLE, VCENTER_TLS, VCENTER_LOGIN, … */
  async acquire(endpoint: Endpoint, options: CallOptions = {}): Promise<VimSession> {
    options.signal?.throwIfAborted();
    this.closing.signal.throwIfAborted();
    const key = keyOf(endpoint);
    const found = this.shared.get(key);
    if (found?.connection?.broken === true) this.drop(key, found);
    const entry = this.shared.get(key) ?? this.open(key, endpoint);
    entry.users++;
    this.watch(key, entry);
    try {
      // The login is everybody's: one who stops waiting for it does not end it.
      const connection = await (options.signal === undefined ? entry.login : orAborted(entry.login, options.signal));
      return new VimSession(endpoint, connection, async () => this.release(key, entry));
    } catch (error) {
      this.release(key, entry);
      throw error;
    }
  }

  /** Logs all sessions out, also those in use, and gives up logins that are under way. */
  async closeAll(): Promise<void> {
    this.closing.abort(new Error('the sessions are closed'));
    for (const [key, entry] of this.shared) {
      this.shared.delete(key);
      this.end(entry);
    }
    await Promise.all(this.leaving);
  }

  private open(key: string, endpoint: Endpoint): Shared {
    const entry: Shared = {
      login: Connection.login(endpoint, { signal: this.closing.signal }),
      connection: undefined,
      users: 0,
      timer: undefined,
    };
    this.shared.set(key, entry);
    entry.login.then(
      (connection) => {
        entry.connection = connection;
      },
      () => {
        // Whoever asks next tries again.
        if (this.shared.get(key) === entry) this.shared.delete(key);
        clearTimeout(entry.timer);
      },
    );
    return entry;
  }

  private release(key: string, entry: Shared): void {
    entry.users--;
    if (this.shared.get(key) === entry) this.watch(key, entry);
    else if (entry.users === 0) this.end(entry);
  }

  /** Takes a session out of the pool; it ends with its last user. */
  private drop(key: string, entry: Shared): void {
    this.shared.delete(key);
    clearTimeout(entry.timer);
    if (entry.users === 0) this.end(entry);
  }

  /** Used: kept alive. Unused: logged out after a while. */
  private watch(key: string, entry: Shared): void {
    clearTimeout(entry.timer);
    if (entry.users === 0) {
      entry.timer = setTimeout(() => this.drop(key, entry), this.times.idleMs);
    } else {
      entry.timer = setTimeout(() => {
        this.watch(key, entry);
        entry.connection?.touch({ timeoutMs: TOUCH_TIMEOUT_MS }).catch(() => {});
      }, this.times.keepAliveMs);
    }
    // `closeAll` ends what is left; a timer alone does not hold the process.
    entry.timer.unref();
  }

  private end(entry: Shared): void {
    clearTimeout(entry.timer);
    const ended = entry.login.then(
      (connection) => connection.close(),
      () => {},
    );
    this.leaving.add(ended);
    void ended.finally(() => this.leaving.delete(ended));
  }
}

/** The password is part of it, and not to be read from it. */
function keyOf({ server, username, password, trust }: Endpoint): string {
  const { caPem, fingerprints, insecure } = trust;
  return createHash('sha256')
    .update(JSON.stringify([hostOf(server).toLowerCase(), username, password, caPem, fingerprints, insecure]))
    .digest('hex');
}
