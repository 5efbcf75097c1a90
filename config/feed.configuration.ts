import { ChoiceVariable, IntegerVariable, Section, TextVariable } from './variable.js';

/** A port is at most 65535. */
const HOST_AND_PORT =
  '[0-9A-Za-z._-]{1,255}:(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])';

const PATH = /^[^\0]{0,4096}$/;

/** How the feed is kept from others: the same variables at both ends. */
export class FeedSecurityConfiguration {
  @TextVariable('HOLDFAST_FEED_TOKEN', {
    default: '',
    meaning:
      'The token that whoever reads the feed, or reports to it, must send. Give the command service and its workers the same one. Empty: the feed serves everybody who reaches it. Without TLS the token can be read on the network.',
    pattern: /^(?:[\x21-\x7e]{16,512})?$/,
    allowed: '16 to 512 printable characters without spaces',
    secret: true,
  })
  readonly token!: string;

  @TextVariable('HOLDFAST_FEED_TOKEN_FILE', {
    default: '',
    meaning: 'A file whose first line is the token, instead of `HOLDFAST_FEED_TOKEN`.',
    pattern: PATH,
    allowed: 'a path',
  })
  readonly tokenFile!: string;

  @TextVariable('HOLDFAST_FEED_TLS_KEY_FILE', {
    default: '',
    meaning:
      "This process's own private key (PEM). The command service needs one to serve the feed under TLS; a worker only where the command service asks for certificates.",
    pattern: PATH,
    allowed: 'a path',
  })
  readonly keyFile!: string;

  @TextVariable('HOLDFAST_FEED_TLS_CERTIFICATE_FILE', {
    default: '',
    meaning: 'The certificate of that key, and what leads from it to the authority (PEM).',
    pattern: PATH,
    allowed: 'a path',
  })
  readonly certificateFile!: string;

  @TextVariable('HOLDFAST_FEED_TLS_AUTHORITY_FILE', {
    default: '',
    meaning:
      "The certificates of the authority that vouches for the other end (PEM). For the command service: only workers with a certificate of this authority are served. For a worker: the command service's certificate must come from it, and must be for the host in the address. A worker with any of these three files speaks TLS only.",
    pattern: PATH,
    allowed: 'a path',
  })
  readonly authorityFile!: string;
}

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

  @Section(() => FeedSecurityConfiguration)
  readonly security!: FeedSecurityConfiguration;

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

  @Section(() => FeedSecurityConfiguration)
  readonly security!: FeedSecurityConfiguration;
}
