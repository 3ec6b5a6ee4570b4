import type { Concern } from '@hyper2kvm/contracts';
import { printable } from './format.js';
import type { Paint } from './width.js';

const LOOK = {
  critical: { icon: '🛑', style: 'red' },
  warning: { icon: '⚠️ ', style: 'yellow' },
  info: { icon: 'ℹ️ ', style: 'cyan' },
} as const;

/** Each with its severity and code, and what to do about it. */
export const concernLines = (concerns: readonly Concern[], paint: Paint): string[] =>
  concerns.flatMap(({ code, severity, message, advice }) => {
    const { icon, style } = LOOK[severity];
    return [
      paint(style, `${icon} ${severity}: ${printable(message)} (${printable(code)})`),
      ...(advice === '' ? [] : [`   ${printable(advice)}`]),
    ];
  });
