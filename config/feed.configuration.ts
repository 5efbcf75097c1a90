import { ChoiceVariable, IntegerVariable, TextVariable } from './variable.js';

/** A port is at most 65535. */
const HOST_AND_PORT =
  '[0-9A-Za-z._-]{1,255}:(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])';

/** Where the owner of the log serves its feed; it listens on the host of its HTTP port. */
export class FeedServerConfiguration {
  @IntegerVariable('HOLDFAST_FEED_PORT', {
    default: 7402,
    min: 0,
    max: 65_535,
    meaning: 'The port of the gRPC feed of durable events. 0 takes a free one.',
  })
  readonly port!: number;

  @TextVariable('HOLDFAST_FLOOR_CONSUMERS', {
    default: 'ledger',
    meaning:
      'The names of consumers that may keep a floor, separated by commas. The log keeps what they still need, also while they are down. Others may read the feed, but are refused a floor.',
    pattern: /^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,111}(?:,[A-Za-z0-9][A-Za-z0-9._-]{0,111}){0,31})?$/,
    allowed:
      'up to 32 names of letters, digits, dots, hyphens and underscores, with commas between',
  })
  readonly floorConsumers!: string;

  get floorNames(): ReadonlySet<string> {
    return new Set(this.floorConsumers.split(',').filter((name) => name !== ''));
  }
}

/** From where a follower gets the events. */
export class FeedClientConfiguration {
  @ChoiceVariable('HOLDFAST_FEED_KIND', {
    default: 'directory',
    meaning:
      'How the projection worker follows the log: `directory` reads the files in the data directory, which must be the same volume; `grpc` connects to the command service.',
    choices: ['directory', 'grpc'],
  })
  readonly kind!: 'directory' | 'grpc';

  @TextVariable('HOLDFAST_FEED_ADDRESS', {
    default: '127.0.0.1:7402',
    meaning: 'For `grpc`: the feed of the command service.',
    pattern: new RegExp(`^${HOST_AND_PORT}$`),
    allowed: 'host:port',
  })
  readonly address!: string;

  @TextVariable('HOLDFAST_FEED_REPORT_ADDRESS', {
    default: '',
    meaning:
      'For `directory`: the feed of the command service, to which this worker reports its position, so that the log keeps what it needs. Set it wherever segments are removed. Empty: no reports.',
    pattern: new RegExp(`^(?:${HOST_AND_PORT})?$`),
    allowed: 'host:port',
  })
  readonly reportAddress!: string;
}
