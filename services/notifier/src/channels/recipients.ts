import type { NotifierConfig } from '../config.js';
import type { OutcomeFact } from '../fact.js';

/** Who is told of this fact by e-mail: the configured addresses and its own, each once (case of the domain ignored). */
export function recipientsOf(fact: OutcomeFact, config: NotifierConfig): string[] {
  if (!isWanted(fact, config)) return [];
  const own = 'notify_email' in fact.data ? fact.data.notify_email : undefined;
  const unique = new Map<string, string>();
  for (const address of [...config.smtp.to, ...(own === undefined ? [] : [own])]) {
    const at = address.lastIndexOf('@');
    const key = address.slice(0, at) + address.slice(at).toLowerCase();
    if (!unique.has(key)) unique.set(key, address);
  }
  return [...unique.values()];
}

function isWanted(fact: OutcomeFact, config: NotifierConfig): boolean {
  switch (fact.kind) {
    case 'completed':
      return config.notify_on_complete;
    case 'failed':
      return config.notify_on_failure;
    case 'batch':
      return config.notify_on_complete || (fact.data.failed > 0 && config.notify_on_failure);
    // Whoever cancelled it knows.
    case 'cancelled':
      return false;
  }
}
