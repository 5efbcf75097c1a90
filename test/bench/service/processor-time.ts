import { readFileSync } from 'node:fs';

/** Of the kernel's accounts of a process: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/**
 * The processor time that a process has used up to now, all its threads together, in milliseconds and in steps of ten: `process.cpuUsage` seen from outside. From
 * proc(5), fields 14 and 15 of /proc/pid/stat.
 */
export function processorMillis(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field is a name in parentheses, which may hold anything.
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return ((Number(user) + Number(system)) * 1_000) / TICKS_PER_SECOND;
}
