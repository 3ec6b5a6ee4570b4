import { newId } from '../database/index.js';

export const newJobId = (): string => newId('job');
