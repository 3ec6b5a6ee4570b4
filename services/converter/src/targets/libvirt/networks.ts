import type { ConversionOptions, Machine } from '@hyper2kvm/contracts';
import { z } from 'zod';

/** What a NIC is plugged into: a bridge of the host, or a network of its libvirt. */
export const Plug = z.object({ type: z.enum(['network', 'bridge']), name: z.string() });
export type Plug = z.infer<typeof Plug>;

type NetworkMap = NonNullable<ConversionOptions['network_map']>;

/** Where NICs may be sent: the job's own map counts first. */
export interface NetworkMaps {
  readonly job?: NetworkMap | undefined;
  readonly target?: NetworkMap | undefined;
}

export const PlannedNic = z.object({
  mac: z.string(),
  /** The source had no address for it. */
  generated: z.boolean().optional(),
  /** What it was plugged into at the source. */
  source_network: z.string().optional(),
  /** Missing in plans of before NICs had networks of their own: then the domain's counts. */
  network: Plug.optional(),
  /** Whose map names its network; missing where it went to the default. */
  mapped_by: z.enum(['job', 'target']).optional(),
});
export type PlannedNic = z.infer<typeof PlannedNic>;

/** `br0` and `bridge:br0` are a bridge, `network:default` is a network of libvirt. */
export function parsePlug(text: string): Plug {
  const [, type = 'bridge', name = ''] = /^(?:(bridge|network):)?(.*)$/s.exec(text) ?? [];
  return { type: type === 'network' ? 'network' : 'bridge', name };
}

/** Where a network of the source goes. */
export function plugFor(
  network: string | undefined,
  maps: NetworkMaps,
  fallback: Plug,
): Required<Pick<PlannedNic, 'network'>> & Pick<PlannedNic, 'mapped_by'> {
  for (const by of ['job', 'target'] as const) {
    const rule = maps[by]?.find(({ from }) => from === network);
    if (rule !== undefined) return { network: parsePlug(rule.to), mapped_by: by };
  }
  return { network: fallback };
}

/** The machine's NICs in their order; those without a MAC cannot be (`completeMachine` gave them one). */
export function planNics(
  nics: Machine['nics'],
  generatedMacs: readonly string[],
  maps: NetworkMaps,
  fallback: Plug,
): PlannedNic[] {
  return nics.flatMap(({ mac, network }) =>
    mac === undefined
      ? []
      : [
          {
            mac,
            ...(generatedMacs.includes(mac) ? { generated: true } : {}),
            ...(network === undefined ? {} : { source_network: network }),
            ...plugFor(network, maps, fallback),
          },
        ],
  );
}

/** The plan for another host: what the job itself mapped stays. */
export const replug = (nics: readonly PlannedNic[], target: NetworkMaps['target'], fallback: Plug): PlannedNic[] =>
  nics.map(({ mapped_by, network, ...nic }) =>
    mapped_by === 'job' && network !== undefined
      ? { ...nic, network, mapped_by }
      : { ...nic, ...plugFor(nic.source_network, { target }, fallback) },
  );
