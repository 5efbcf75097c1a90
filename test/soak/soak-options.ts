import { parseArgs } from 'node:util';

export const DISKS = ['ext4', 'xfs', 'none'] as const;
export type SoakDisk = (typeof DISKS)[number];

export interface SoakOptions {
  readonly minutes: number;
  /** Makes the faults and the commands; their meeting is up to the machine. */
  readonly seed: number;
  /** Commands a second, all clients together. */
  readonly rate: number;
  /** The file system that the data lies on: in an image of its own, or, with `none`, wherever temporary files are. */
  readonly disk: SoakDisk;
  /** Further configuration of the services, by variable. */
  readonly environment: Readonly<Record<string, string>>;
  /** A regular expression: disturbances whose names do not match it are left out. */
  readonly only: string;
  /** Where to write the report as JSON. */
  readonly json: string | undefined;
  /** Missing tools are an error. */
  readonly requireAll: boolean;
}

/** Throws `TypeError` for an option that cannot be. */
export function soakOptionsOf(given: readonly string[]): SoakOptions {
  const { values } = parseArgs({
    args: [...given],
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      rate: { type: 'string', default: '200' },
      disk: { type: 'string', default: 'ext4' },
      only: { type: 'string', default: '' },
      set: { type: 'string', multiple: true, default: [] },
      json: { type: 'string' },
    },
  });
  const disk = DISKS.find((one) => one === values.disk);
  if (disk === undefined) throw new TypeError(`--disk is one of ${DISKS.join(', ')}`);
  return {
    minutes: positive('minutes', values.minutes),
    seed: Math.floor(positive('seed', values.seed)),
    rate: positive('rate', values.rate),
    disk,
    only: pattern(values.only),
    environment: Object.fromEntries(values.set.map(assignment)),
    json: values.json,
    requireAll: process.env['HOLDFAST_REQUIRE_ALL'] === '1',
  };
}

/** What repeats a soak, as far as it can be repeated. */
export function commandOf({ minutes, seed, rate, disk, only, environment }: SoakOptions): string {
  const matching = only === '' ? '' : ` --only '${only}'`;
  const set = Object.entries(environment).map(([name, value]) => ` --set ${name}=${value}`);
  return `npm run soak -- --minutes ${minutes} --seed ${seed} --rate ${rate} --disk ${disk}${matching}${set.join('')}`;
}

function assignment(text: string): readonly [string, string] {
  const [, name, value] = /^(HOLDFAST_[A-Z_]+)=(.*)$/.exec(text) ?? [];
  if (name !== undefined && value !== undefined) return [name, value];
  throw new TypeError(`--set takes HOLDFAST_…=…, not ${text}`);
}

function pattern(text: string): string {
  try {
    new RegExp(text);
    return text;
  } catch (cause) {
    throw new TypeError(`--only takes a regular expression, not ${text}`, { cause });
  }
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new TypeError(`--${name} is a number above 0, not ${text}`);
}
