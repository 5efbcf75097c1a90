/**
 * Imported first: a process whose parent is gone tells itself to stop. npm that is told to end tells the shell between it and us, and the shell tells nobody; a parent that
 * is killed tells nobody either.
 */
const PARENT_POLL_MILLIS = 500;

const parent = process.ppid;
const looking = setInterval(() => {
  if (process.ppid === parent) return;
  clearInterval(looking);
  process.kill(process.pid, 'SIGTERM');
}, PARENT_POLL_MILLIS);
looking.unref();
