import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { startAdmin } from '@holdfast/administration';
import {
  LedgerProjector,
  LedgerWriter,
  ledgerOperations,
  ledgerProjection,
  openLedgerStore,
} from '@holdfast/ledger-service';
import { LogOperations } from '@holdfast/operations';
import { ServiceLifecycle, createLogger } from '@holdfast/platform';
import {
  FeedConsumers,
  ProjectionRunner,
  SourceFeed,
  SqliteReadModelStore,
} from '@holdfast/projections';
import type { Sequence } from '@holdfast/wal';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseCli, runCli } from './testing/run-cli.js';

const TOKEN = 'a-token-of-the-command-line-tests';
const WAL = { create: true, segmentBytes: 32 * 1024, frameBytesMax: 16 * 1024 } as const;

/** A service as the tool sees it: a log, and its admin API. */
class Service {
  private constructor(
    readonly url: string,
    readonly writer: LedgerWriter,
    readonly operations: LogOperations,
    readonly stop: () => Promise<void>,
  ) {}

  static async start(data: string): Promise<Service> {
    const logger = createLogger({ service: 'test', level: 'silent' });
    const writer = await LedgerWriter.open(join(data, 'wal'), {
      wal: WAL,
      state: {
        directory: join(data, 'state'),
        snapshotDirectory: join(data, 'snapshots'),
      },
    });
    const floors = { behindEventsMax: 3, behindBytesMax: 0 };
    const operations = new LogOperations({
      log: writer.log,
      consumers: new FeedConsumers(),
      logger,
      floors,
    });
    const storage = {
      walDirectory: join(data, 'wal'),
      archiveDirectory: join(data, 'archive'),
      readModelDirectory: join(data, 'read-models'),
    };
    const access = { token: TOKEN, tokenFile: '' };
    const application = await startAdmin({
      ...{
        service: ledgerOperations(storage, storage),
        operations,
        logger,
        lifecycle: new ServiceLifecycle(),
      },
      admin: { host: '127.0.0.1', port: 0, access },
      directories: {
        stateDirectory: join(data, 'state'),
        snapshotDirectory: join(data, 'snapshots'),
        readModelDirectory: join(data, 'read-models'),
      },
    });
    return new Service(await application.nest.getUrl(), writer, operations, async () => {
      await application.stop(1_000);
      await writer.close();
    });
  }
}

describe('the commands that administer', () => {
  let data: string;
  let service: Service | undefined;

  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'holdfast-cli-'));
    process.env['HOLDFAST_ADMIN_TOKEN'] = TOKEN;
    service = await Service.start(data);
    for (const ledger of ['a', 'b', 'c', 'd', 'e', 'f'])
      await service.writer.execute({ type: 'OpenLedger', ledger }, { actor: 'test' });
    const { floors } = service.writer.log.wal;
    floors.set('projection:search', 1 as Sequence);
    floors.set('projection:ledger', 6 as Sequence);
  });

  afterEach(async () => {
    delete process.env['HOLDFAST_ADMIN_TOKEN'];
    await service?.stop();
    service = undefined;
    await rm(data, { recursive: true });
  });

  it('show the clock of a service that runs, and accept it', async () => {
    for (const command of ['show', 'accept']) {
      const { exit, output } = await runCli('clock', command, '--url', service!.url);
      expect([exit, output]).toEqual([0, expect.stringMatching(/^The clock is believed: 20/)]);
    }
    const json = await runCli('clock', 'show', '--url', service!.url, '--json');
    expect(JSON.parse(json.output)).toMatchObject({ trusted: true });
  });

  it('list floors, and tell by the exit code that a consumer is far behind', async () => {
    const { exit, output } = await runCli('floors', 'list', '--url', service!.url);
    expect(exit).toBe(1);
    expect(output).toMatch(/projection:search +1 +5 .*FAR BEHIND/);
    const json = await runCli('floors', 'list', '--url', service!.url, '--json');
    expect(JSON.parse(json.output)).toMatchObject({
      items: [
        { name: 'projection:search', position: 1, eventsBehind: 5, farBehind: true },
        { name: 'projection:ledger', position: 6, eventsBehind: 0, farBehind: false },
      ],
    });
  });

  it('drop a floor whose name is given twice, of a service that runs or of its data', async () => {
    const drop = (name: string, confirm: string, ...where: readonly string[]) =>
      runCli('floors', 'drop', name, '--confirm', confirm, ...where);
    const floors = () =>
      [...service!.writer.log.wal.floors.all().keys()].filter((name) => name.includes(':'));
    const refused = await drop('projection:search', 'projection:ledger', '--url', service!.url);
    expect([refused.exit, refused.messages]).toEqual([
      1,
      expect.stringContaining('confirmation-missing'),
    ]);
    expect(floors()).toHaveLength(2);
    expect((await drop('projection:search', 'projection:search', '--url', service!.url)).exit).toBe(
      0,
    );
    expect(floors()).toEqual(['projection:ledger']);

    const held = await drop('projection:ledger', 'projection:ledger', '--data', data);
    expect([held.exit, held.messages]).toEqual([75, expect.stringContaining('WAL_LOCKED')]);
    await service!.stop();
    const dropped = await drop('projection:ledger', 'projection:ledger', '--data', data);
    expect([dropped.exit, dropped.output]).toEqual([0, expect.stringContaining('Dropped')]);
    service = await Service.start(data);
    expect(floors()).toEqual([]);
  });

  it('list projections, pause, resume and drop, and tell by the exit code that nobody keeps one', async () => {
    const projections = (...given: readonly string[]) =>
      runCli('projections', ...given, '--url', service!.url);
    const none = await projections('list');
    expect([none.exit, none.output]).toEqual([1, expect.stringMatching(/^ledger +- +1 +none$/m)]);
    const projector = LedgerProjector.start({
      feed: new SourceFeed(service!.writer.log),
      store: await openLedgerStore({ readModelDirectory: join(data, 'read-models') }),
      logger: createLogger({ service: 'test', level: 'silent' }),
      onFailure: (error) => {
        throw error;
      },
    });
    while (projector.status.state !== 'live') await setTimeout(5);
    const kept = await projections('list');
    expect([kept.exit, kept.output]).toEqual([
      0,
      expect.stringMatching(/^ledger +1 +1 +live +6 +0 +kept by /m),
    ]);
    const quarantined = await projections('quarantine', 'list', 'ledger');
    expect([quarantined.exit, quarantined.output]).toEqual([
      0,
      'Nothing waits in the quarantine of ledger.\n',
    ]);
    expect((await projections('pause', 'ledger')).output).toContain('resume ledger');
    const paused = await projections('list', '--json');
    expect([paused.exit, JSON.parse(paused.output)]).toMatchObject([
      0,
      { items: [{ name: 'ledger', paused: true }] },
    ]);
    await projector.stop();
    expect((await projections('resume', 'ledger')).exit).toBe(0);
    const left = await projections('list');
    expect([left.exit, left.output]).toEqual([1, expect.stringContaining('nobody keeps it')]);
    const refused = await projections('drop', 'ledger', '1', '--confirm', 'general');
    expect([refused.exit, refused.messages]).toEqual([
      1,
      expect.stringContaining('confirmation-missing'),
    ]);
    const dropped = await projections('drop', 'ledger', '1', '--confirm', 'ledger');
    expect([dropped.exit, dropped.output]).toEqual([0, expect.stringContaining('at position 6')]);
    const gone = await projections('rebuild', 'ledger');
    expect([gone.exit, gone.messages]).toEqual([1, expect.stringContaining('read-model-not-here')]);
    await service!.stop();
    // Nobody can keep what is not served.
    expect((await runCli('projections', 'list', '--data', data)).exit).toBe(0);
    service = await Service.start(data);
  });

  it('list, show, release and skip what a projection could not apply', async () => {
    const directory = join(data, 'read-models');
    const quarantine = (...given: readonly string[]) =>
      runCli('projections', 'quarantine', ...given, '--url', service!.url);
    const follow = async (apply: typeof ledgerProjection.apply) => {
      const projection = { ...ledgerProjection, apply };
      const store = SqliteReadModelStore.open({ directory, projection });
      const feed = new SourceFeed(service!.writer.log, { heartbeatMillis: 20 });
      const badEvents = { kind: 'quarantine', attempts: 1 } as const;
      const runner = new ProjectionRunner({ feed, store, badEvents });
      const stopping = new AbortController();
      const ended = runner.run(stopping.signal);
      expect(await runner.waitFor(service!.writer.log.durablePosition, 10_000)).toBe(true);
      return async () => {
        stopping.abort();
        await ended;
        await feed.close();
        await store.close();
      };
    };
    const stopFaulty = await follow(() => {
      throw new Error('no such column');
    });
    const listed = await quarantine('list', 'ledger');
    expect([listed.exit, listed.output]).toEqual([
      1,
      expect.stringMatching(/^1 +1 +1 \(live\) +1 +20.*Z +no such column$/m),
    ]);
    expect((await runCli('projections', 'list', '--url', service!.url)).output).toMatch(
      /QUARANTINED: [0-9]+ events; kept by/,
    );
    const shown = await quarantine('show', 'ledger', '1');
    expect(JSON.parse(shown.output)).toMatchObject({ events: [{ type: 'LedgerOpened' }] });
    const last = service!.writer.log.durablePosition;
    const skip = ['skip', 'ledger', String(last), '--reason', 'it was a test', '--by', 'alice'];
    const skipped = await quarantine(...skip);
    expect([skipped.exit, skipped.output]).toEqual([0, expect.stringContaining('by alice')]);
    const again = await quarantine('release', 'ledger');
    expect([again.exit, again.output]).toEqual([
      1,
      expect.stringMatching(/^1 +1 +1 \(live\) +2 /m),
    ]);
    await stopFaulty();
    const stopMended = await follow((events, transaction) =>
      ledgerProjection.apply(events, transaction),
    );
    const released = await quarantine('release', 'ledger');
    expect([released.exit, released.output]).toEqual([0, 'Nothing waits in ledger any more.\n']);
    await stopMended();
    const record = await quarantine('list', 'ledger');
    expect([record.exit, record.output]).toEqual([
      0,
      expect.stringMatching(
        new RegExp(`^${last} was skipped by alice at .*Z: it was a test$`, 'm'),
      ),
    ]);
  });

  it('show and cancel jobs', async () => {
    const { jobs } = service!.operations;
    const { id } = jobs.start(
      'archive',
      'changes',
      ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve({}))),
    );
    const listed = await runCli('jobs', '--url', service!.url);
    expect(listed.output).toMatch(new RegExp(`${id} +archive +running`));
    expect((await runCli('jobs', '--url', service!.url, '--cancel', id)).exit).toBe(0);
    expect((await jobs.ended(id))?.state).toBe('cancelled');
  });

  it('make and list checkpoints and snapshots, of a service that runs or of its data', async () => {
    const made = await runCli('checkpoint', 'create', '--url', service!.url, '--json');
    expect([made.exit, JSON.parse(made.output)]).toMatchObject([0, { position: 6 }]);
    const listed = await runCli('checkpoint', 'list', '--url', service!.url);
    expect(listed.output).toMatch(/^6 +20.*Z/m);
    expect(listed.output).toContain('A start would replay 0 events');
    await service!.stop();
    const snapshot = await runCli('snapshot', 'create', '--data', data);
    expect([snapshot.exit, snapshot.output]).toEqual([0, expect.stringContaining('position 6')]);
    const { output } = await runCli('snapshot', 'list', '--data', data, '--json');
    expect(JSON.parse(output)).toMatchObject({ items: [{ position: 6 }] });
    service = await Service.start(data);
  });

  it('say what is wrong with the name of a job', async () => {
    const { exit, messages } = await runCli('jobs', '--cancel', 'nope', '--url', service!.url);
    expect([exit, messages]).toEqual([
      1,
      expect.stringMatching(/ADMIN_REFUSED: invalid-request: job must be the id of a job/),
    ]);
  });

  it('archive and apply retention to the data of a service that does not run', async () => {
    const none = await runCli('archive', '--url', service!.url);
    expect([none.exit, none.messages]).toEqual([
      66,
      expect.stringContaining('HOLDFAST_RETENTION_POLICY=archive'),
    ]);
    await service!.stop();
    // By its defaults, to archive/ in the data directory, which it makes.
    const archived = await runCli('archive', '--data', data, '--json');
    expect(JSON.parse(archived.output)).toMatchObject({ archivedSequence: 6 });
    process.env['HOLDFAST_RETENTION_POLICY'] = 'archive';
    try {
      const plan = await runCli('retention', '--data', data);
      expect(plan.output).toContain('policy     archive');
      expect(plan.output).toContain('HOLDFAST_RETENTION_LIVE_EVENTS_MIN');
      expect((await runCli('retention', '--data', data, '--apply')).exit).toBe(0);
    } finally {
      delete process.env['HOLDFAST_RETENTION_POLICY'];
      service = await Service.start(data);
    }
  });

  it('back up a service that runs, verify the backup, and restore it to a position', async () => {
    const backup = join(data, 'backup');
    const first = await runCli('backup', backup, '--url', service!.url, '--json');
    expect([first.exit, JSON.parse(first.output)]).toMatchObject([0, { lastSequence: 6 }]);
    await service!.writer.execute({ type: 'OpenLedger', ledger: 'g' }, { actor: 'test' });
    expect((await runCli('backup', backup, '--url', service!.url)).exit).toBe(0);
    const verified = await runCli('backup', 'verify', backup, '--json');
    expect([verified.exit, JSON.parse(verified.output)]).toMatchObject([
      0,
      { sound: true, lastSequence: 7, problems: [] },
    ]);
    const target = join(data, 'restored');
    const restored = await runCli('restore', backup, target, '--to-position', '4', '--json');
    expect([restored.exit, JSON.parse(restored.output)]).toMatchObject([0, { lastSequence: 4 }]);
    const again = await runCli('restore', backup, target);
    expect([again.exit, again.messages]).toEqual([1, expect.stringContaining('not empty')]);
    const copy = await LedgerWriter.open(join(target, 'wal'), { wal: WAL });
    expect([copy.log.lastPosition, copy.hasLedger('d'), copy.hasLedger('e')]).toEqual([
      ...[4, true, false],
    ]);
    await copy.close();
  });

  it('find a damaged backup damaged', async () => {
    const backup = join(data, 'backup');
    await runCli('backup', backup, '--url', service!.url);
    await rm(join(backup, 'BACKUP'));
    const { exit, messages } = await runCli('backup', 'verify', backup);
    expect([exit, messages]).toEqual([1, expect.stringContaining('WAL_BACKUP_DAMAGED')]);
  });

  it('prove the state of data, beside the service that has it, and find it wrong when it is', async () => {
    await runCli('checkpoint', 'create', '--url', service!.url);
    // There is no read model in these data: what is there is sound, and that is not everything.
    const proven = await runCli('state', 'verify', '--data', data, '--json');
    expect([proven.exit, JSON.parse(proven.output)]).toMatchObject([
      2,
      { sound: true, complete: false, state: { matches: true, checkpoint: { position: 6 } } },
    ]);
    const text = await runCli('state', 'verify', '--data', data);
    expect(text.output).toMatch(/checkpoint of position 6 .* is what a replay of 6 events makes/);
    expect(text.output).toMatch(
      /NOT VERIFIED There is no read model.*\nSound as far as it was read/s,
    );
  });

  it('say who must be asked when they are refused', async () => {
    process.env['HOLDFAST_ADMIN_TOKEN'] = 'another-token-than-the-right-one';
    const denied = await runCli('floors', 'list', '--url', service!.url);
    expect([denied.exit, denied.messages]).toEqual([77, expect.stringContaining('ADMIN_DENIED')]);
    const away = await runCli('jobs', '--url', 'http://127.0.0.1:9');
    expect([away.exit, away.messages]).toEqual([69, expect.stringContaining('--data')]);
    const nothing = await runCli('floors', 'list', '--data', join(data, 'nothing'));
    expect(nothing.exit).toBe(66);
  });

  it.each([
    ['--to-position', 'four'],
    ['--to-time', 'yesterday'],
    ['--to-time', '2026-11-23T10:00:00'],
  ])('refuse to restore with %s %s', async (option, value) => {
    await expect(parseCli('restore', 'a', 'b', option, value)).rejects.toMatchObject({
      code: 'commander.invalidArgument',
    });
  });

  it('refuse to drop without the second name before they do anything', async () => {
    await expect(parseCli('floors', 'drop', 'projection:search')).rejects.toMatchObject({
      code: 'commander.missingMandatoryOptionValue',
    });
  });
});
