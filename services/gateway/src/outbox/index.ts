export { outgoing, type Outgoing } from './outgoing.js';
export { OutboxRelay } from './relay.js';
export { writeOutbox, writeOutboxOfMany, type Addressed } from './write.js';
