import { BytesVariable, ChoiceVariable, IntegerVariable, TextVariable } from './variable.js';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** What every long-running process has. */
export class ServiceConfiguration {
  @TextVariable('HOLDFAST_HTTP_HOST', {
    default: '127.0.0.1',
    meaning:
      'The address to listen on. Give 0.0.0.0 in a container only: there is no authentication yet.',
    pattern: /^[0-9A-Za-z.:-]{1,255}$/,
    allowed: 'a host name or an IP address',
  })
  readonly host!: string;

  @ChoiceVariable('HOLDFAST_LOG_LEVEL', {
    default: 'info',
    meaning:
      'The least important lines that are written. `info` writes one line per request, `warn` none.',
    choices: LOG_LEVELS,
  })
  readonly logLevel!: (typeof LOG_LEVELS)[number];

  @IntegerVariable('HOLDFAST_STOP_GRACE_MILLIS', {
    default: 10_000,
    min: 0,
    max: 600_000,
    meaning: 'How long requests in flight may take after a stop was requested.',
  })
  readonly stopGraceMillis!: number;

  @BytesVariable('HOLDFAST_BODY_BYTES_MAX', {
    default: 4 * 1024 * 1024,
    min: 1024,
    max: 64 * 1024 * 1024,
    meaning: 'The largest request body of a bulk. Other requests accept at most 512 KiB.',
  })
  readonly bodyBytesMax!: number;

  @BytesVariable('HOLDFAST_BODIES_BYTES_MAX', {
    default: 64 * 1024 * 1024,
    min: 1024 * 1024,
    max: 1024 * 1024 * 1024,
    atLeast: { times: 1, name: 'HOLDFAST_BODY_BYTES_MAX' },
    meaning:
      'Bytes of all request bodies in transit or being answered together; beyond it requests get 503 `too-many-uploads`. At least the largest body.',
  })
  readonly bodiesBytesMax!: number;
}
