import { defined } from '@holdfast/kernel';
import { instantMillis } from '../fields.js';

/** A time of an event, which `decide` wrote in the one recorded form, as milliseconds since 1970 UTC. */
export function epochMillis(instant: string): number {
  return defined(instantMillis(instant), `the time that ${instant} stands for`);
}
