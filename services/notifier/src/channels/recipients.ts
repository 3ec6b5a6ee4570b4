import type { NotifierConfig } from '../config.js';
import type { OutcomeFact } from '../fact.js';

/** Who is told of this fact by e-mail: the configured addresses and the job's own, each once (case of the domain ignored). */
export function recipientsOf(fact: OutcomeFact, config: NotifierConfig): string[] {
  const wanted = fact.kind === 'completed' ? config.notify_on_complete : config.notify_on_failure;
  if (!wanted) return [];
  const { notify_email: own } = fact.data;
  const unique = new Map<string, string>();
  for (const address of [...config.smtp.to, ...(own === undefined ? [] : [own])]) {
    const at = address.lastIndexOf('@');
    const key = address.slice(0, at) + address.slice(at).toLowerCase();
    if (!unique.has(key)) unique.set(key, address);
  }
  return [...unique.values()];
}
