export { CONNECT_TIMEOUT_MS, ConnectError, TlsTrustError, type Trust } from './connect.js';
export { HttpProtocolError, type AnswerHead } from './http-answer.js';
export { HttpsReader, StalledError } from './https-reader.js';
export { TrustingAgent } from './trusting-agent.js';
