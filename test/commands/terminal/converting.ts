import { Terminal, type TerminalOptions } from '../../support/tmux.js';
import { Player } from './player.js';

/** In the recordings. */
const CONVERT = 'hyperctl convert --vm production-db --vcenter vcenter.example.com';

/** A terminal in which a recorded job is converted; it has begun. @param flags more of them */
export async function converting(
  recording: string,
  options: TerminalOptions = {},
  flags = '',
): Promise<{ terminal: Terminal; player: Player }> {
  const player = await Player.open(recording);
  const env = { HYPER2KVM_URL: player.url, VSPHERE_USERNAME: 'ann', VSPHERE_PASSWORD: 'x', ...options.env };
  const terminal = await Terminal.open({ ...options, env });
  await terminal.run(CONVERT + flags);
  await terminal.waitFor(/job-/);
  return { terminal, player };
}
