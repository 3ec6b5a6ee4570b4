import { LANES, type Lane } from '@hyper2kvm/contracts';

export const laneOf = (rank: number): Lane => LANES[rank] ?? 'low';
export const rankOf = (lane: Lane): number => LANES.indexOf(lane);
