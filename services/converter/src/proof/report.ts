import { z } from 'zod';
import type { PinnedNic } from '../steps/index.js';

const Text = z.string().max(1024);

/** What the guest says of itself. It is hostile input: sizes are bounded. */
export const GuestReport = z.object({
  event: z.literal('report'),
  hostname: Text,
  kernel: Text,
  /** `systemctl is-system-running`: running, degraded, maintenance, … */
  state: Text,
  failed_units: z.array(Text).max(1000),
  nics: z
    .array(
      z.object({
        name: Text,
        mac: Text,
        /** The card's own, where it goes by another's: within a bond all have one. Older tools do not tell. */
        permanent_mac: Text.optional(),
        /** Part of a bond or bridge. */
        enslaved: z.boolean().optional(),
        addresses: z.array(Text).max(256),
      }),
    )
    .max(256),
});
export type GuestReport = z.infer<typeof GuestReport>;

/** The report among the lines of the port; undefined until it is whole. */
export function findReport(text: string): GuestReport | undefined {
  // The last line may be half there still.
  for (const line of text.split('\n').slice(0, -1)) {
    const parsed = GuestReport.safeParse(json(line));
    if (parsed.success) return parsed.data;
  }
  return undefined;
}

function json(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Why a guest that reported is still not what was promised; undefined when it is. */
export function faultOf(report: GuestReport, pinned: readonly PinnedNic[]): string | undefined {
  if (report.state !== 'running' && report.state !== 'degraded') return `its systemd says "${report.state}"`;
  const seen = report.nics.map((nic) => `${nic.name} (${nic.mac})`).join(', ') || 'none';
  const lost = pinned.filter(({ name }) => !report.nics.some((nic) => nic.name === name));
  if (lost.length > 0) return `it has no NIC named ${lost.map(({ name }) => name).join(', ')}; it has ${seen}`;
  const wrong = pinned.filter(({ name, mac }) => report.nics.some((nic) => nic.name === name && !isCard(nic, mac)));
  if (wrong.length === 0) return undefined;
  return `${wrong.map(({ name, mac }) => `${name} is not the NIC ${mac}`).join(', ')}; it has ${seen}`;
}

/** A card within a bond may go by the MAC of another, and an old guest does not tell its own. */
function isCard({ mac, permanent_mac: own, enslaved }: GuestReport['nics'][number], expected: string): boolean {
  if (own !== undefined && own !== '') return own.toLowerCase() === expected.toLowerCase();
  return enslaved === true || mac.toLowerCase() === expected.toLowerCase();
}

/** `ens192 10.0.2.15/24`, without link-local ones. */
export function addressLines(report: GuestReport): string[] {
  return report.nics.flatMap(({ name, addresses }) =>
    addresses.filter((address) => !address.startsWith('fe80:')).map((address) => `${name} ${address}`),
  );
}
