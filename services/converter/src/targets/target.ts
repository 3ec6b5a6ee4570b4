import { JobError } from '@hyper2kvm/contracts';
import type { ConverterSettings } from '../work.js';
import type { NetworkMaps, Plug } from './libvirt/networks.js';

/** Where a VM goes. */
export interface Target {
  /** Undefined for the converter's own libvirt. */
  readonly name: string | undefined;
  readonly uri: string;
  readonly outputDir: string;
  readonly network: Plug;
  readonly networkMap: NetworkMaps['target'];
  /** Of the converters that reach its storage. */
  readonly pool: string | undefined;
}

/**
 * A target of the configuration by its name, or the converter's own libvirt.
 * @throws JobError TARGET_UNSUITABLE for a name that the configuration does not have
 */
export function targetOf(settings: ConverterSettings, name: string | undefined): Target {
  const { libvirtUri, outputDir, network, targets = {} } = settings;
  const own = { name, uri: libvirtUri, outputDir, network, networkMap: undefined, pool: undefined };
  if (name === undefined) return own;
  const found = Object.hasOwn(targets, name) ? targets[name] : undefined;
  if (found === undefined) {
    const names = Object.keys(targets).toSorted();
    const known = names.length === 0 ? 'the configuration names none' : `there are ${names.join(', ')}`;
    throw new JobError('TARGET_UNSUITABLE', `there is no target ${name}: ${known}`);
  }
  return {
    name,
    uri: found.libvirt_uri,
    outputDir: found.output_dir ?? outputDir,
    network: found.network ?? network,
    networkMap: found.network_map,
    pool: found.pool,
  };
}
