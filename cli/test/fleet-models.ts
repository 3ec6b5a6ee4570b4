import { newModel, reduce, type Model } from '../src/fleet/index.js';
import { LOOK, NOW } from '../../test/support/fleet-samples.js';

export const empty = (change: Partial<Model> = {}): Model => ({
  ...newModel({ gateway: 'https://gw.example.com:8080', context: 'prod', readOnly: false, now: NOW, scope: {} }),
  ...change,
});
export const fleet = (change: Partial<Model> = {}): Model => ({
  ...reduce(empty(), { type: 'looked', look: LOOK }, NOW),
  ...change,
});
