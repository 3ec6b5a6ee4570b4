export { NbdClient, type Extent } from './client.js';
