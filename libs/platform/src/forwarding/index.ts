/** For a front door only: the HTTP client that it needs is loaded by nobody else. */
export { type ForwardOptions, type ForwardedRoute, forwardRequests } from './forward-requests.js';
