import { assert } from '@holdfast/kernel';

/** A time of an event, which `decide` wrote in the one recorded form, as milliseconds since 1970 UTC. */
export function epochMillis(instant: string): number {
  const millis = Date.parse(instant);
  assert(!Number.isNaN(millis), `${instant} is a time`);
  return millis;
}
