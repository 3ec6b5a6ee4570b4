export { CONNECT_TIMEOUT_MS, ConnectError, TlsTrustError, TrustingAgent, type Trust } from './trust.js';
