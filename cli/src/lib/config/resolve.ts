/**
 * Which of several values counts. In general that of the first place: flag, environment, context, file, default. A context that
 * --context names stands before the environment: who names one means its gateway, not the one that a variable names.
 *
 * What goes to a server is bound to it. An account, a token, a certificate or the wish not to check one, that stands beside one
 * server, is never used with another: it would hand a login to somebody else, or trust somebody whom nobody checked. So
 * - what a place says beside a server counts only while that server is the one in use, whoever named it;
 * - what a place says without naming a server (a file with nothing but an account; VSPHERE_USERNAME alone) is meant for any;
 * - flags always count: they are typed for this one command;
 * - of the ways to trust a certificate those of one place count: a leftover ca_file neither widens nor weakens a pin. "Do check
 *   it" (insecure: false) takes nothing away, but for an `insecure: true` below.
 * The same holds for the gateway, where the address is the server, and token, token_file and ca_file are bound to it.
 */
import { parseAddress } from '../address.js';
import { UsageError } from '../errors.js';
import { didYouMean, nearest } from '../near.js';
import type { Value } from './kinds.js';
import {
  contextPlace,
  envPlace,
  filePlace,
  flagPlace,
  originWord,
  type Flags,
  type Origin,
  type Place,
} from './places.js';
import type { ConfigFile } from './read.js';
import { SETTINGS, settingOf, type Group, type Setting, type SettingKey } from './table.js';

/** What counts for a key. */
export interface Resolved {
  readonly value: Value | undefined;
  /** Undefined: the default. */
  readonly origin: Origin | undefined;
}

/** A value that would count, were it not bound to another server. */
export interface LeftOut {
  readonly key: string;
  readonly group: Group;
  /** One line: what is not used, and why. */
  readonly text: string;
}

/** The keys that name a group's server; of one place the first that is there counts. */
const SERVERS: Readonly<Record<Group, readonly SettingKey[]>> = {
  gateway: ['daemons.go.url', 'daemons.python.socket'],
  vcenter: ['vsphere.server'],
};
const TOKENS: readonly SettingKey[] = ['token', 'token_file'];
const TRUST: readonly SettingKey[] = ['vsphere.ca_file', 'vsphere.thumbprint', 'vsphere.insecure'];

export interface Sources {
  readonly flags: Flags;
  readonly env: NodeJS.ProcessEnv;
  readonly file: ConfigFile;
}

/** Values are read when they are asked for: a variable that is not set hurts only those who need it. */
export class Resolution {
  /** Name of the context that counts. */
  readonly context: string | undefined;
  /** Who named it. */
  readonly contextOrigin: Origin | undefined;
  readonly #places: readonly Place[];

  /** @throws UsageError where there is no such context */
  constructor({ flags, env, file }: Sources) {
    const [flag, variables, common] = [flagPlace(flags), envPlace(env), filePlace(file, env)];
    this.#places = [flag, variables, common];
    const named = this.of('current_context');
    if (named.value === undefined) return;
    const name = String(named.value);
    const said = file.contexts.get(name);
    if (said === undefined) throw noContext(name, file, named.origin);
    this.context = name;
    this.contextOrigin = named.origin;
    const chosen = contextPlace(name, said, file, env);
    this.#places =
      named.origin?.from === 'flag' ? [flag, chosen, variables, common] : [flag, variables, chosen, common];
  }

  /** @throws UsageError where the value that counts is not possible */
  of(key: SettingKey): Resolved {
    const setting = settingFor(key);
    const saying = this.#deciding(setting)?.say(setting);
    return saying === undefined
      ? { value: setting.default, origin: undefined }
      : { value: saying.read(), origin: saying.origin };
  }

  /** Values that a reader of the file would expect to count, and that do not. */
  leftOut(): readonly LeftOut[] {
    return SETTINGS.flatMap((one: Setting): LeftOut[] => {
      const { key, group } = one;
      if (group === undefined || SERVERS[group].some((server) => server === key)) return [];
      const place = this.#places.find((place) => place.say(one) !== undefined);
      const origin = place?.say(one)?.origin;
      if (place === undefined || origin === undefined || this.#counts(place, group)) return [];
      const what = group === 'gateway' ? 'gateway' : 'vCenter';
      const name = origin.from === 'env' ? origin.name : `${key} of ${place.shown}`;
      const text = `${name} is not used: it belongs to ${what} ${this.#serverOf(place, group)}, not to ${this.#server(group)}`;
      return [{ key, group, text }];
    });
  }

  /** A socket beside a url, which counts before it; undefined where there is none. */
  get idleSocket(): string | undefined {
    const socket = settingFor('daemons.python.socket');
    const place = this.#places.find((one) => one.say(socket) !== undefined);
    const used = this.#deciding(settingFor('daemons.go.url'));
    if (place === undefined || used === undefined) return undefined;
    const origin = used.say(settingFor('daemons.go.url'))?.origin;
    return `daemons.python.socket (${place.shown}) is not used: daemons.go.url (${originWord(origin)}) names the gateway`;
  }

  #deciding(setting: Setting): Place | undefined {
    const { key, group } = setting;
    const said = (place: Place): boolean => place.say(setting) !== undefined;
    if (group === undefined) return this.#places.find(said);
    const servers = SERVERS[group];
    if (servers.some((one) => one === key)) return this.#firstOf(servers, this.#places, key);
    const allowed = this.#places.filter((place) => this.#counts(place, group));
    if (TOKENS.some((one) => one === key)) return this.#firstOf(TOKENS, allowed, key);
    if (!TRUST.some((one) => one === key)) return allowed.find(said);
    const trusting = allowed.findIndex((place) => TRUST.some((one) => isChoice(place, settingFor(one))));
    if (key === 'vsphere.insecure') return allowed.slice(0, trusting === -1 ? undefined : trusting + 1).find(said);
    const place = allowed[trusting];
    return place !== undefined && said(place) ? place : undefined;
  }

  /** The first place that says one of the keys, if of these it is `key` that counts there. */
  #firstOf(keys: readonly SettingKey[], places: readonly Place[], key: string): Place | undefined {
    const place = places.find((one) => keys.some((other) => says(one, other)));
    return place !== undefined && keys.find((one) => says(place, one)) === key ? place : undefined;
  }

  /** Whether what a place says of a group's server is meant for the one in use. */
  #counts(place: Place, group: Group): boolean {
    if (place.from === 'flag') return true;
    const own = this.#serverOf(place, group);
    return own === undefined || own === this.#server(group);
  }

  /** The one in use; undefined: the default. */
  #server(group: Group): string | undefined {
    for (const place of this.#places) {
      const server = this.#serverOf(place, group);
      if (server !== undefined) return server;
    }
    return undefined;
  }

  /** The one that a place names, always written in the same way. */
  #serverOf(place: Place, group: Group): string | undefined {
    for (const key of SERVERS[group]) {
      const saying = place.say(settingFor(key));
      if (saying === undefined) continue;
      try {
        const value = String(saying.read());
        if (group === 'vcenter') return vcenterKey(value);
        return gatewayKey(key === 'daemons.python.socket' ? `unix:${value}` : value);
      } catch {
        // A variable that is not set: surely another one than the one in use.
        return `(${key} of ${place.shown})`;
      }
    }
    return undefined;
  }
}

const says = (place: Place, key: SettingKey): boolean => place.say(settingFor(key)) !== undefined;

/** "Do check it" is no way to trust a certificate. */
function isChoice(place: Place, setting: Setting): boolean {
  const saying = place.say(setting);
  if (saying === undefined) return false;
  if (setting.key !== 'vsphere.insecure') return true;
  try {
    return saying.read() === true;
  } catch {
    return true;
  }
}

function settingFor(key: SettingKey): Setting {
  const setting = settingOf(key);
  if (setting === undefined) throw new Error(`no setting ${key}`);
  return setting;
}

/** The same for every way to write one vCenter; the gateway takes `https://vc/ui` as `vc`, too. */
export const vcenterKey = (server: string): string =>
  server
    .toLowerCase()
    .replace(/^https:\/\//, '')
    .replace(/\/.*$/, '')
    .replace(/:443$/, '');

function gatewayKey(url: string): string {
  const { shown, socket } = parseAddress(url);
  return socket === undefined ? new URL(shown).href.replace(/\/$/, '') : shown;
}

/** @param origin who named it */
export function noContext(name: string, file: ConfigFile, origin?: Origin): UsageError {
  const names = [...file.contexts.keys()];
  const by = origin === undefined ? '' : ` (${origin.from === 'file' ? 'current_context' : origin.name})`;
  return new UsageError(
    `there is no context ${name} in ${file.path}${by}${didYouMean(nearest(name, names))}`,
    names.length === 0
      ? 'make one: hyperctl config set --context NAME daemons.go.url https://…'
      : 'hyperctl config contexts lists them',
  );
}
