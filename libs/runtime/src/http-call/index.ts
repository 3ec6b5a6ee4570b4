export { namesLinkLocal } from './address.js';
export { mayBeCalled } from './allowed.js';
export { HttpCallError, type HttpCallProblem } from './error.js';
export { postSigned, type CallAnswer, type SignedCall } from './post.js';
