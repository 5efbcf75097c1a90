/**
 * For a thread that only answers queries. Loads nothing else.
 *
 * @module
 */
export { type CursorValue, decodeCursor, encodeCursor } from '../http/cursor.js';
