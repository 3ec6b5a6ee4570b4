export { fallbackFault, fixFallback, worryAboutFallback } from './fallback.js';
