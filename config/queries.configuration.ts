import { IntegerVariable } from './variable.js';

/** How queries are answered. */
export class QueriesConfiguration {
  @IntegerVariable('HOLDFAST_READ_WAIT_MILLIS_MAX', {
    default: 5_000,
    min: 0,
    max: 60_000,
    meaning:
      'The longest time that a query waits for its position before 503 `projection-lagging`.',
  })
  readonly waitMillisMax!: number;
}

/** The port that clients use: commands and queries. */
export class FrontDoorConfiguration {
  @IntegerVariable('HOLDFAST_HTTP_PORT', {
    default: 7400,
    min: 0,
    max: 65_535,
    meaning: 'The public port of `holdfast` and of the query service. 0 takes a free one.',
  })
  readonly port!: number;

  @IntegerVariable('HOLDFAST_EVENT_STREAMS_OF_CLIENT_MAX', {
    default: 32,
    min: 1,
    max: 10_000,
    meaning:
      'The most answers with events under way to one address; more are refused with 429 `overloaded`. Raise it behind a proxy, where all clients have one address.',
  })
  readonly streamsOfClientMax!: number;
}

/** How many may follow events. */
export class EventStreamsConfiguration {
  @IntegerVariable('HOLDFAST_EVENT_STREAMS_MAX', {
    default: 256,
    min: 1,
    max: 10_000,
    meaning:
      'The most answers with events under way at once; more are refused with 503 `too-many-streams`.',
  })
  readonly streamsMax!: number;
}
