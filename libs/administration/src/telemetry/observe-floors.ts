import type { Health, Metrics } from '@holdfast/platform';
import type { ConsumerFloors, FloorStatus } from '@holdfast/operations';

/** What operators see of floors. A consumer that is far behind is told of, but is no reason to send commands elsewhere. */
export function observeFloors(floors: ConsumerFloors, health: Health, metrics: Metrics): void {
  health.register('floors', () => {
    const far = floors.list().filter(({ farBehind }) => farBehind);
    return far.length === 0 ? true : { degraded: far.map(sentence).join('; ') };
  });
  gauge('holdfast_floor_position', 'What each name has done with.', ({ position }) => position);
  gauge(
    'holdfast_floor_lag_events',
    'How far each floor is behind the durable position.',
    ({ eventsBehind }) => eventsBehind,
  );
  gauge(
    'holdfast_floor_pinned_bytes',
    'Bytes of sealed segments that each floor alone would keep.',
    ({ bytesPinned }) => bytesPinned,
  );
  gauge('holdfast_floor_far_behind', '1 when a consumer is far behind.', ({ farBehind }) =>
    farBehind ? 1 : 0,
  );

  function gauge(name: string, help: string, figure: (floor: FloorStatus) => number): void {
    metrics.gauge({
      name,
      help,
      labelNames: ['floor'],
      collect() {
        // Those that were dropped are forgotten.
        this.reset();
        for (const floor of floors.list()) this.set({ floor: floor.name }, figure(floor));
      },
    });
  }
}

function sentence({ name, eventsBehind, bytesPinned, connected }: FloorStatus): string {
  const away = connected ? '' : ' and is away';
  return `${name} is ${eventsBehind} events behind${away}, and keeps ${bytesPinned} bytes of the log`;
}
