/**
 * Keys of the daemons that this system replaces which have no meaning any more, with what took their place. They are accepted
 * with a notice, so that an old file starts; docs/migrating-configuration.md maps all of them.
 */
const OBSOLETE_KEYS: Readonly<Record<string, string>> = {
  watch_dir: 'jobs come over NATS, no folder is watched',
  queue_dir: 'jobs come over NATS, there is no queue folder',
  control_socket: 'workers are controlled through the gateway',
  webhook_url: 'services tell each other by events',
  file_stable_timeout: 'an artifact is announced when it is whole and verified',
  python_daemon: 'the converter finds its work on NATS',
  go_daemon: 'the exporter finds its work on NATS',
};

/** Removes them wherever they stand; returns a line for each. */
export function dropObsolete(tree: Record<string, unknown>, path = ''): string[] {
  const notices: string[] = [];
  for (const [key, value] of Object.entries(tree)) {
    const at = path === '' ? key : `${path}.${key}`;
    const why = Object.hasOwn(OBSOLETE_KEYS, key) ? OBSOLETE_KEYS[key] : undefined;
    if (why !== undefined) {
      delete tree[key];
      notices.push(`${at} has no meaning any more: ${why}`);
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      notices.push(...dropObsolete(value as Record<string, unknown>, at));
    }
  }
  return notices;
}
