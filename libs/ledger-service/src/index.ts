export { decodePosition, encodePosition } from './shared/position-token.js';
