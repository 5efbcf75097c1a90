import { BytesVariable, IntegerVariable, Section, TextVariable } from './variable.js';

/** What opens the admin API: for the one who serves it, and for the one who uses it. */
export class AdminTokenConfiguration {
  @TextVariable('HOLDFAST_ADMIN_TOKEN', {
    default: '',
    meaning:
      'The token that every request to the admin API must carry as `Authorization: Bearer …`. Without it the API serves only programs on its own machine.',
    pattern: /^(?:[\x21-\x7e]{16,512})?$/,
    allowed: '16 to 512 printable characters without spaces',
    secret: true,
  })
  readonly token!: string;

  @TextVariable('HOLDFAST_ADMIN_TOKEN_FILE', {
    default: '',
    meaning: 'A file whose first line is the token, instead of `HOLDFAST_ADMIN_TOKEN`.',
    pattern: /^[^\0]{0,4096}$/,
    allowed: 'a path',
  })
  readonly tokenFile!: string;
}

/** The operator's API of the process that owns the log. */
export class AdminConfiguration {
  @TextVariable('HOLDFAST_ADMIN_HOST', {
    default: '127.0.0.1',
    meaning: 'The address of the admin API. On anything but loopback it needs a token.',
    pattern: /^[0-9A-Za-z.:-]{1,255}$/,
    allowed: 'a host name or an IP address',
  })
  readonly host!: string;

  @IntegerVariable('HOLDFAST_ADMIN_PORT', {
    default: 7404,
    min: 0,
    max: 65_535,
    meaning: 'The port of the admin API. 0 takes a free one.',
  })
  readonly port!: number;

  @TextVariable('HOLDFAST_BACKUP_DIRECTORY', {
    default: '',
    meaning: 'Backups may be made only below this directory. Empty: anywhere.',
    pattern: /^[^\0]{0,4096}$/,
    allowed: 'a path',
  })
  readonly backupDirectory!: string;

  @Section(() => AdminTokenConfiguration)
  readonly access!: AdminTokenConfiguration;
}

/** When a consumer of the log counts as far behind. */
export class FloorsConfiguration {
  @IntegerVariable('HOLDFAST_FLOOR_BEHIND_EVENTS_MAX', {
    default: 1_000_000,
    min: 0,
    max: 1_000_000_000_000,
    meaning:
      'A projection that is further behind is reported: a line in the log, a notice in `/health/ready`, a metric. 0: never.',
  })
  readonly behindEventsMax!: number;

  @BytesVariable('HOLDFAST_FLOOR_BEHIND_BYTES_MAX', {
    default: 1024 * 1024 * 1024,
    min: 0,
    max: 1024 * 1024 * 1024 * 1024,
    meaning: 'The same for a projection that keeps more of the log. 0: never.',
  })
  readonly behindBytesMax!: number;
}
