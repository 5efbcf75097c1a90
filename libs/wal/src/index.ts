export * from './wal.types.js';
