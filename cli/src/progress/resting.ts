import type { JobDetail } from '@hyper2kvm/contracts';

/** Its disks are there, and nobody has asked for the conversion yet. */
export const isResting = ({ status, conversion, queue_position: position }: JobDetail): boolean =>
  status === 'exported' && conversion.status === 'waiting' && position === null;
