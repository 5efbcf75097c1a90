import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Services } from '../../support/services.js';
import type { BenchContext, ScenarioResult, Suite } from '../suite.js';
import { type BareKind, BareServer } from './bare-server.js';
import { type LoadRequest, load, percentile } from './load.js';
import { processorMillis } from './processor-time.js';
import { Transfers } from './transfers.js';

const CONNECTIONS = [1, 16, 64];
const HOT_CONNECTIONS = 64;
/** Before anything is measured, so that what runs often is compiled. In turns, so that nobody stands idle longer than the others (see below). */
const WARM_UP_TURNS = 4;
const WARM_UP_SECONDS = 2.5;
/**
 * Before each measurement. A process that stood idle while others were measured may have lost its compiled code, of hundreds of functions at once: a full garbage
 * collection without a request under way finds no object of the shapes that the code is made for. Whether that happens, and to which of two builds, is chance.
 */
const WARM_AGAIN_SECONDS = 2;
const BULK_TRANSFERS = 1_000;
const OURS = 'holdfast';
const BEFORE = 'holdfast before';

/** A process that is measured, and what is sent to it. */
interface Contender {
  readonly name: string;
  readonly pid: number;
  readonly address: string;
}

/**
 * The command service over HTTP, beside what it is made of. Processor time is that of the server alone, all its threads; the client is this process. Rates and
 * latencies are those of client and server on the same machine.
 */
export const serviceSuite: Suite = {
  name: 'service',
  async run(context) {
    const bench = new ServiceBench(context);
    try {
      await bench.open();
      await bench.warmUp();
      for (let round = 1; round <= context.rounds; round++) await bench.round(round);
      return { name: 'service', scenarios: bench.results() };
    } finally {
      await bench.close();
    }
  },
};

class ServiceBench {
  private readonly builds: { readonly name: string; readonly services: Services }[] = [];
  private readonly bare: BareServer[] = [];
  private readonly transfers = new Transfers();
  private readonly scenarios = new Map<string, ScenarioResult & { figures: Figures }>();

  constructor(private readonly context: BenchContext) {}

  async open(): Promise<void> {
    const { directory, against } = this.context;
    await this.prepare(OURS);
    if (against !== undefined) await this.prepare(BEFORE, against);
    const bare = join(directory, 'bare');
    mkdirSync(bare);
    for (const kind of ['nest', 'fastify', 'pipeline'] as const)
      this.bare.push(await BareServer.start(kind, bare));
  }

  private async prepare(name: string, repository?: string): Promise<void> {
    const directory = join(this.context.directory, name.replaceAll(' ', '-'));
    mkdirSync(directory);
    const services = await Services.prepare(ENVIRONMENT, directory, repository);
    this.builds.push({ name, services });
    await services.start('command-service');
    await this.transfers.openLedger(services.commands);
  }

  async close(): Promise<void> {
    for (const { services } of this.builds) await services.remove();
    for (const server of this.bare) server.end();
  }

  async warmUp(): Promise<void> {
    const { transfers } = this;
    const bulk = () => transfers.bulk(BULK_TRANSFERS);
    const commandServices = this.builds.map(({ services }) => services.commands);
    const bare = this.bareAddresses('nest', 'fastify');
    for (let turn = 1; turn <= WARM_UP_TURNS; turn++) {
      for (const address of [...commandServices, ...bare])
        await load(address, HOT_CONNECTIONS, WARM_UP_SECONDS, () => transfers.alone());
      for (const address of [...commandServices, ...this.bareAddresses('pipeline')])
        await load(address, 1, WARM_UP_SECONDS, bulk);
    }
  }

  private bareAddresses(...kinds: readonly BareKind[]): string[] {
    return this.bare.filter(({ kind }) => kinds.includes(kind)).map(({ address }) => address);
  }

  results(): readonly ScenarioResult[] {
    return [...this.scenarios.values()];
  }

  async round(round: number): Promise<void> {
    const { transfers } = this;
    // Whoever comes second finds what the first has left: the caches, and its garbage.
    const builds = round % 2 === 1 ? this.builds : this.builds.toReversed();
    const ours = builds.map(({ name, services }) => ({
      ...{ name, address: services.commands },
      pid: services.get('command-service')?.pid ?? 0,
    }));
    const bare = (kind: string) => this.bare.filter((server) => server.kind === kind);
    for (const connections of CONNECTIONS)
      for (const contender of [...ours, ...bare('nest'), ...bare('fastify')])
        await this.measure(round, `POST /transfers, ${connections} at a time`, contender, {
          connections,
          make: () => transfers.alone(),
        });
    for (const contender of [...ours, ...bare('pipeline')])
      await this.measure(round, `bulk of ${BULK_TRANSFERS}`, contender, {
        connections: 1,
        transfers: BULK_TRANSFERS,
        make: () => transfers.bulk(BULK_TRANSFERS),
      });
    for (const contender of ours) {
      const scenario = `POST /transfers, ${HOT_CONNECTIONS} at a time, accounts at random or one hot`;
      const connections = HOT_CONNECTIONS;
      await this.measure(round, scenario, contender, {
        connections,
        make: () => transfers.alone(),
      });
      const hot = { ...contender, name: `${contender.name}, hot account` };
      await this.measure(round, scenario, hot, { connections, make: () => transfers.hot() });
    }
  }

  private async measure(
    round: number,
    scenario: string,
    { name, pid, address }: Contender,
    work: {
      readonly connections: number;
      /** In each request. */
      readonly transfers?: number;
      readonly make: () => LoadRequest;
    },
  ): Promise<void> {
    const { context } = this;
    context.progress(`${scenario}: ${name}, round ${round} of ${context.rounds}`);
    const { transfers = 1 } = work;
    // One at a time, it would take long to come to a thousand.
    const warmingConnections = transfers === 1 ? HOT_CONNECTIONS : work.connections;
    await load(address, warmingConnections, WARM_AGAIN_SECONDS, work.make);
    const before = processorMillis(pid);
    const done = await load(address, work.connections, context.seconds, work.make);
    const used = processorMillis(pid) - before;
    const count = done.requests * transfers;
    const each = transfers === 1 ? 'request' : 'transfer';
    this.note(scenario, `µs of processor time per ${each}`, name, (used * 1_000) / count);
    this.note(scenario, `${each}s/s`, name, count / done.seconds);
    this.note(scenario, 'ms, median', name, percentile(done.latencies, 50));
    this.note(scenario, 'ms, 99 %', name, percentile(done.latencies, 99));
  }

  private note(scenario: string, unit: string, contender: string, figure: number): void {
    const key = `${scenario}: ${unit}`;
    const result = this.scenarios.get(key) ?? { scenario, unit, figures: {}, subject: OURS };
    (result.figures[contender] ??= []).push(figure);
    this.scenarios.set(key, result);
  }
}

type Figures = Record<string, number[]>;

const ENVIRONMENT = {
  // As by default: the small ones of the tests are for logs of many segments.
  HOLDFAST_WAL_SEGMENT_BYTES: '64MiB',
  HOLDFAST_WAL_FRAME_BYTES_MAX: '32MiB',
  HOLDFAST_SNAPSHOT_HOURS: '0',
};
