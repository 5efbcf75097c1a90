import type { StoppableService } from './run-service.js';

/** Several services that stop as one: all drain at once, and each is closed before the next, in this order. */
export function servicesTogether(...services: readonly StoppableService[]): StoppableService {
  return {
    drain: (graceMillis) => Promise.all(services.map((service) => service.drain(graceMillis))),
    stop: async (graceMillis) => {
      const stopsAt = performance.now() + graceMillis;
      await Promise.all(services.map((service) => service.drain(graceMillis)));
      for (const service of services) await service.stop(Math.max(0, stopsAt - performance.now()));
    },
  };
}
