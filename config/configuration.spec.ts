import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { APPLICATIONS, type ApplicationConfigurations, configurationOf } from './applications.js';
import { ConfigurationInvalid } from './configuration.errors.js';
import { allVariables, ignoredVariables } from './load-configuration.js';
import { configurationTable } from './reference.js';

const applications = Object.keys(APPLICATIONS) as (keyof ApplicationConfigurations)[];

function problemsOf(
  environment: Record<string, string>,
  application: keyof ApplicationConfigurations = 'command-service',
): readonly string[] {
  try {
    configurationOf(application, environment);
  } catch (error) {
    if (error instanceof ConfigurationInvalid) return error.problems;
    throw error;
  }
  return [];
}

/** What Kubernetes tells every container of a service in its namespace. */
function kubernetesService(name: string, port: number): Record<string, string> {
  return {
    [`${name}_SERVICE_HOST`]: '10.96.0.7',
    [`${name}_SERVICE_PORT`]: String(port),
    [`${name}_SERVICE_PORT_HTTP`]: String(port),
    [`${name}_PORT`]: `tcp://10.96.0.7:${port}`,
    [`${name}_PORT_${port}_TCP`]: `tcp://10.96.0.7:${port}`,
    [`${name}_PORT_${port}_TCP_PROTO`]: 'tcp',
    [`${name}_PORT_${port}_TCP_PORT`]: String(port),
    [`${name}_PORT_${port}_TCP_ADDR`]: '10.96.0.7',
  };
}

describe('configuration', () => {
  it('has a valid default for everything', () => {
    for (const application of applications) expect(problemsOf({}, application)).toEqual([]);
    expect(configurationOf('holdfast', {})).toEqual({
      http: { port: 7400, streamsOfClientMax: 32 },
      nats: { url: '', stream: 'holdfast', subject: 'holdfast.{ledger}.{type}' },
      service: {
        host: '127.0.0.1',
        logLevel: 'info',
        stopGraceMillis: 10_000,
        bodyBytesMax: 4_194_304,
        bodiesBytesMax: 64 * 1024 * 1024,
      },
      storage: { dataDirectory: './data', archive: '', outlets: '' },
      wal: {
        durability: 'sync',
        syncIntervalMillis: 50,
        segmentBytes: 67_108_864,
        frameBytesMax: 33_554_432,
        queuedBytesMax: 33_554_432,
        create: true,
        takeover: false,
        allowNetworkFileSystem: false,
      },
      state: {
        ...{ checkpointBytes: 67_108_864, checkpointSeconds: 60 },
        ...{ snapshotHours: 24, cacheEntries: 100_000, keyRetentionDays: 30 },
      },
      clock: { skewSeconds: 10, gapDays: 7, accept: '' },
      admin: {
        ...{ host: '127.0.0.1', port: 7404, backupDirectory: '' },
        access: { token: '', tokenFile: '' },
      },
      floors: { behindEventsMax: 1_000_000, behindBytesMax: 1_073_741_824 },
      retention: {
        policy: 'keep-all',
        livePositionsMin: 100_000,
        liveMinutesMin: 1_440,
        intervalSeconds: 300,
      },
      scrub: { bytesPerSecond: 8_388_608, pauseSeconds: 3_600 },
      queries: { waitMillisMax: 5_000 },
      events: { streamsMax: 256 },
      readModel: {
        ...{ diverged: 'rebuild', badEvents: 'stop' },
        ...{ badEventAttempts: 5, quarantineEventsMax: 1_000 },
      },
      readModelPlace: { url: '', schema: 'holdfast' },
    });
  });

  it('keeps everything under the data directory', () => {
    const { storage } = configurationOf('command-service', {
      HOLDFAST_DATA_DIRECTORY: '/srv/books',
    });
    expect([
      ...[storage.walDirectory, storage.stateDirectory, storage.snapshotDirectory],
      ...[storage.archiveDirectory, storage.readModelDirectory],
    ]).toEqual(
      ['wal', 'state', 'snapshots', 'archive', 'read-models'].map((name) => `/srv/books/${name}`),
    );
    const elsewhere = configurationOf('command-service', {
      HOLDFAST_ARCHIVE_DIRECTORY: '/mnt/old',
    });
    expect(elsewhere.storage.archiveDirectory).toBe('/mnt/old');
  });

  it('takes values of every kind from the environment', () => {
    const configuration = configurationOf('command-service', {
      HOLDFAST_COMMAND_HTTP_PORT: '0',
      HOLDFAST_WAL_DURABILITY: 'interval',
      HOLDFAST_WAL_SEGMENT_BYTES: '1GiB',
      HOLDFAST_WAL_FRAME_BYTES_MAX: '64KiB',
      HOLDFAST_WAL_QUEUED_BYTES_MAX: '65536',
      HOLDFAST_WAL_CREATE: 'false',
      HOLDFAST_HTTP_HOST: '::1',
      UNRELATED: 'x',
    });
    expect(configuration.http.port).toBe(0);
    expect(configuration.service.host).toBe('::1');
    expect(configuration.wal).toMatchObject({
      durability: 'interval',
      segmentBytes: 1_073_741_824,
      queuedBytesMax: 65_536,
      create: false,
    });
  });

  it.each([
    ['HOLDFAST_COMMAND_HTTP_PORT', '65536', 'a whole number from 0 to 65535'],
    ['HOLDFAST_COMMAND_HTTP_PORT', '0x10', 'a whole number from 0 to 65535'],
    ['HOLDFAST_COMMAND_HTTP_PORT', ' 7401', 'a whole number from 0 to 65535'],
    ['HOLDFAST_COMMAND_HTTP_PORT', '', 'a whole number from 0 to 65535'],
    ['HOLDFAST_COMMAND_HTTP_PORT', '-1', 'a whole number from 0 to 65535'],
    ['HOLDFAST_WAL_DURABILITY', 'Sync', 'one of sync, interval, none'],
    ['HOLDFAST_WAL_CREATE', 'yes', 'true or false'],
    ['HOLDFAST_DATA_DIRECTORY', '', 'a path'],
    ['HOLDFAST_HTTP_HOST', 'http://127.0.0.1', 'a host name or an IP address'],
    [
      'HOLDFAST_WAL_SEGMENT_BYTES',
      '64MB',
      'a number of bytes such as 65536 or 64MiB, from 32KiB to 1GiB',
    ],
    [
      'HOLDFAST_WAL_SEGMENT_BYTES',
      '2GiB',
      'a number of bytes such as 65536 or 64MiB, from 32KiB to 1GiB',
    ],
  ])('refuses %s=%p, naming variable, value and what is allowed', (name, value, allowed) => {
    expect(problemsOf({ [name]: value })).toEqual([
      `${name} is ${JSON.stringify(value)}, but must be ${allowed}`,
    ]);
  });

  it.each([
    [
      'all bodies together are to hold less than one may',
      { HOLDFAST_BODIES_BYTES_MAX: '1MiB' },
      'HOLDFAST_BODIES_BYTES_MAX is "1MiB", but must be at least HOLDFAST_BODY_BYTES_MAX, which is "4MiB"',
    ],
    [
      'a segment is to hold less than two batches',
      { HOLDFAST_WAL_SEGMENT_BYTES: '127KiB', HOLDFAST_WAL_FRAME_BYTES_MAX: '64KiB' },
      'HOLDFAST_WAL_SEGMENT_BYTES is "127KiB", but must be at least 2 times HOLDFAST_WAL_FRAME_BYTES_MAX, which is "64KiB"',
    ],
    [
      'less is to wait than one batch may have',
      { HOLDFAST_WAL_QUEUED_BYTES_MAX: '65536' },
      'HOLDFAST_WAL_QUEUED_BYTES_MAX is "65536", but must be at least HOLDFAST_WAL_FRAME_BYTES_MAX, which is "32MiB"',
    ],
  ])('refuses two values that do not go together: %s', (_what, environment, problem) => {
    expect(problemsOf(environment)).toEqual([problem]);
  });

  it.each([
    ['HOLDFAST_COMMAND_URL', '127.0.0.1:7401'],
    ['HOLDFAST_COMMAND_URL', 'http://127.0.0.1:7401/v1'],
    ['HOLDFAST_COMMAND_URL', 'http://127.0.0.1:99999'],
  ])('refuses %s=%p', (name, value) => {
    expect(problemsOf({ [name]: value }, 'query-service')).toEqual([
      `${name} is "${value}", but must be an http or https address without a path, its port, if any, at most 65535`,
    ]);
  });

  it.each([
    ['HOLDFAST_COMMAND_URL', 'query-service'],
    ['HOLDFAST_URL', 'cli'],
    ['HOLDFAST_ADMIN_URL', 'cli'],
  ] as const)('takes %s with a slash behind it', (name, application) => {
    const told = JSON.stringify(configurationOf(application, { [name]: 'http://example.org:81/' }));
    expect(told).toContain('"url":"http://example.org:81"');
    expect(problemsOf({ [name]: 'http://example.org//' }, application)).toHaveLength(1);
  });

  it.each(['HOLDFAST_FEED_ADDRESS', 'HOLDFAST_FEED_REPORT_ADDRESS'])(
    'takes in %s the name of a container, and no port above 65535',
    (name) => {
      const problems = (value: string) => problemsOf({ [name]: value }, 'projection-worker');
      for (const port of ['1', '7402', '60000', '65535'])
        expect(problems(`command_service:${port}`)).toEqual([]);
      for (const port of ['65536', '70000', '99999', '123456'])
        expect(problems(`command:${port}`)).toEqual([
          `${name} is "command:${port}", but must be host:port`,
        ]);
    },
  );

  it.each(['mysql://me:S3cret@host/books', 'postgres:// me:S3cret@host', 'S3cret'])(
    'takes no %p for a read model in PostgreSQL, and does not show it',
    (url) => {
      const [problem, ...others] = problemsOf({ HOLDFAST_READ_MODEL_URL: url });
      expect([problem, others]).toEqual([
        expect.stringMatching(/^HOLDFAST_READ_MODEL_URL .*must be a postgres:\/\/ URL$/),
        [],
      ]);
      expect(problem).not.toContain('S3cret');
    },
  );

  it('refuses a variable that no application has, and says which was meant', () => {
    expect(problemsOf({ HOLDFAST_WAL_DURABILTY: 'none', HOLDFAST_COLOUR: 'red' })).toEqual([
      'HOLDFAST_COLOUR is not a variable of Holdfast',
      'HOLDFAST_WAL_DURABILTY is not a variable of Holdfast; did you mean HOLDFAST_WAL_DURABILITY?',
    ]);
  });

  it.each([
    ['HOLDFAST_PORT', 'HOLDFAST_HTTP_PORT'],
    ['HOLDFAST_DATA_DIR', 'HOLDFAST_DATA_DIRECTORY'],
    ['HOLDFAST_COMAND_URL', 'HOLDFAST_COMMAND_URL'],
  ])('says of %s that %s is the nearest', (name, nearest) => {
    expect(problemsOf({ [name]: '8080' })).toEqual([
      `${name} is not a variable of Holdfast; did you mean ${nearest}?`,
    ]);
  });

  it.each(applications)(
    'lets Kubernetes tell %s of services that are called as Holdfast is',
    (application) => {
      const environment = {
        ...kubernetesService('HOLDFAST', 7400),
        ...kubernetesService('HOLDFAST_ADMIN', 7404),
      };
      expect(problemsOf(environment, application)).toEqual([]);
      expect(ignoredVariables(environment)).toEqual(Object.keys(environment).sort());
    },
  );

  it("takes its own variable where a service's has the same name and somebody has set it", () => {
    const environment = {
      ...kubernetesService('HOLDFAST_ADMIN', 7404),
      HOLDFAST_ADMIN_PORT: '7500',
    };
    expect(configurationOf('holdfast', environment).admin.port).toBe(7500);
    const unset = kubernetesService('HOLDFAST_ADMIN', 7404);
    expect(configurationOf('holdfast', unset).admin.port).toBe(7404);
  });

  it.each([
    ['an address that no service has', { HOLDFAST_ADMIN_PORT: 'tcp://10.0.0.1:7404' }],
    ['host and port alone', { HOLDFAST_SERVICE_HOST: '10.0.0.1', HOLDFAST_SERVICE_PORT: '7400' }],
    [
      'a number where a service has its address',
      { ...kubernetesService('HOLDFAST', 7400), HOLDFAST_PORT: '8080' },
    ],
    [
      'another name beside a service',
      { ...kubernetesService('HOLDFAST', 7400), HOLDFAST_PORT_TCP: 'x' },
    ],
  ])('refuses what only looks like a service of Kubernetes: %s', (_what, environment) => {
    expect(problemsOf(environment)).not.toEqual([]);
  });

  it('never shows a secret, not even one of no use', () => {
    expect(problemsOf({ HOLDFAST_ADMIN_TOKEN: 'too short' })).toEqual([
      'HOLDFAST_ADMIN_TOKEN is not of any use, but must be 16 to 512 printable characters without spaces',
    ]);
  });

  it("accepts another application's variables, so that one environment file serves all", () => {
    expect(problemsOf({ HOLDFAST_COMMAND_URL: 'nonsense for another application' })).toEqual([]);
  });

  it('tells every problem at once, in an error with a stable code', () => {
    const environment = { HOLDFAST_LOG_LEVEL: 'loud', HOLDFAST_FEED_PORT: 'x', HOLDFAST_X: '1' };
    expect(problemsOf(environment)).toHaveLength(3);
    expect(() => configurationOf('command-service', environment)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID' }),
    );
  });

  it('gives every variable one meaning: applications that share a name share its declaration', () => {
    const declared = new Map<string, string>();
    for (const configuration of Object.values(APPLICATIONS)) {
      for (const { name, meaning, defaultText, allowed } of allVariables(configuration)) {
        expect(name).toMatch(/^HOLDFAST_[A-Z_]+$/);
        const text = `${meaning} ${defaultText} ${allowed}`;
        expect(declared.get(name) ?? text).toBe(text);
        declared.set(name, text);
      }
    }
    expect(declared.size).toBeGreaterThan(15);
  });

  it('is what docs/configuration.md says', () => {
    const document = readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8');
    expect(document).toContain(configurationTable());
  });
});
