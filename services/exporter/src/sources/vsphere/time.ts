import type { VimSession } from './session.js';
import type { CallOptions } from './soap-http.js';
import { text } from './values.js';

/** vCenter's clock in ms: ages of its objects are not measured with ours. */
export async function serverTime(session: VimSession, options: CallOptions = {}): Promise<number> {
  const answer = await session.call('CurrentTime', { type: 'ServiceInstance', id: 'ServiceInstance' }, {}, options);
  const time = Date.parse(text(answer) ?? '');
  return Number.isNaN(time) ? Date.now() : time;
}
