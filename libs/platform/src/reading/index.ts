/** The small door of this room: what a thread of queries needs of it, which loads nothing else. */
export { type CursorValue, decodeCursor, encodeCursor } from '../http/cursor.js';
