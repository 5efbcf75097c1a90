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
}
