export { ApiDocument, type Operation, type Parameter } from './document.js';
export { Exchanger, type Exchange } from './exchange.js';
export { Known, requestsOf, type ApiRequest, type Knowledge } from './requests.js';
