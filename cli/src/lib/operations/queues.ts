import { LANES } from '@hyper2kvm/contracts';

export type Depths = Readonly<Record<(typeof LANES)[number], number>>;

/** The design's names of the figures. */
const FIGURES = { exporter: 'hypervisord_queue_depth', converter: 'hyper2kvm_queue_depth' } as const;

/** What waits for each service by lane, from the figures that the gateway has for Prometheus: nothing else tells them apart. */
export function queuesOf(metrics: string, service: keyof typeof FIGURES): Depths {
  const depths = { high: 0, normal: 0, low: 0 };
  for (const lane of LANES) {
    const line = new RegExp(`^${FIGURES[service]}\\{[^}]*priority="${lane}"[^}]*\\} (\\d+)`, 'm').exec(metrics);
    depths[lane] = Number(line?.[1] ?? 0);
  }
  return depths;
}

/** `3 high, 12 normal, 1 low`, of what there is */
export function queueWord(depths: Depths): string {
  const some = LANES.filter((lane) => depths[lane] > 0).map((lane) => `${depths[lane]} ${lane}`);
  return some.length === 0 ? 'nothing waits' : some.join(', ');
}
