/** The only source of wall time; tests set it, replay never reads it. */
export interface Clock {
  /** Wall time in whole milliseconds since 1970 UTC. May step backwards. */
  nowMillis(): number;
}

export const systemClock: Clock = { nowMillis: () => Date.now() };
