/** Whether the user does not want the work any more: then nothing may be left that the clean-up does not see. */
export const isCancelled = ({ reason }: AbortSignal): boolean =>
  (reason as { kind?: unknown } | undefined)?.kind === 'cancelled';
