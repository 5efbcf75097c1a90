/**
 * For a front door that forwards requests. Nothing else loads the HTTP client that it needs.
 *
 * @module
 */
export { type ForwardOptions, type ForwardedRoute, forwardRequests } from './forward-requests.js';
