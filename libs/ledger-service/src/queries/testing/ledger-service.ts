import type { Position } from '@holdfast/event-store';
import { assert } from '@holdfast/kernel';
import { type HttpApplication, createHttpApplication, createLogger } from '@holdfast/platform';
import {
  ProjectionRunner,
  type ReadModelDigest,
  SourceFeed,
  type ReadModelStore,
  SqliteReadModel,
} from '@holdfast/projections';
import type { PostgresConnection } from '@holdfast/projections/postgres';
import { Module } from '@nestjs/common';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LedgerCommandsModule } from '../../commands/ledger-commands.module.js';
import { ledgerProjection } from '../../projections/ledger.projection.js';
import { type ReadModelPlace, openLedgerStore } from '../../projections/read-model-place.js';
import { LEDGER_OPEN_API } from '../../shared/ledger-open-api.js';
import { LEDGER_CODED_ERRORS, LEDGER_PROBLEMS } from '../../shared/ledger-problems.js';
import { LedgerWriter } from '../../write-side/ledger-writer.js';
import { type Asking, answeredNow } from '../asking.js';
import { type QueryAsker, askedHere } from '../ledger-queries.js';
import { LedgerQueriesModule } from '../ledger-queries.module.js';
import type { SeenLog } from '../ledger-reader.js';
import { queryAsker } from '../query-asker.js';
import { ReadModelSight } from '../read-model-sight.js';

export interface TestReply<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

@Module({})
class TestRoot {}

const SHORT_WAIT_MILLIS = 250;
const CATCH_UP_MILLIS_MAX = 20_000;

/** Commands, a projection and queries in one process, on a temporary directory and a free port of 127.0.0.1. */
export class TestLedgerService {
  private following: AbortController | undefined;
  private followed: Promise<void> = Promise.resolve();
  private keys = 0;

  private constructor(
    readonly directory: string,
    readonly writer: LedgerWriter,
    readonly application: HttpApplication,
    readonly store: ReadModelStore<unknown>,
    readonly asker: QueryAsker,
    readonly place: ReadModelPlace,
    readonly url: string,
    /** The log as queries see it: the writer's own, unless a test says otherwise. */
    readonly seen: { log: SeenLog },
  ) {}

  /** Its read model in SQLite, unless a server is given. */
  static async start(
    waitMillisMax = SHORT_WAIT_MILLIS,
    postgres?: PostgresConnection,
  ): Promise<TestLedgerService> {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-queries-'));
    const writer = await LedgerWriter.open(join(directory, 'wal'), {
      wal: {
        create: true,
        segmentBytes: 4 * 1024 * 1024,
        frameBytesMax: 1024 * 1024,
        queuedBytesMax: 8 * 1024 * 1024,
      },
    });
    const place: ReadModelPlace = {
      readModelDirectory: join(directory, 'read-models'),
      postgres,
    };
    const store = await openLedgerStore(place);
    const asker = postgres === undefined ? askedHere(readModelIn(place)) : await queryAsker(place);
    const seen: { log: SeenLog } = { log: writer.log };
    const application = await createHttpApplication(
      {
        module: TestRoot,
        imports: [
          LedgerCommandsModule.forRoot({ writer }),
          LedgerQueriesModule.forRoot({
            asker,
            waitMillisMax,
            log: { look: () => seen.log, ask: () => Promise.resolve(seen.log) },
          }),
        ],
      },
      {
        logger: createLogger({ service: 'test', level: 'silent' }),
        problems: LEDGER_PROBLEMS,
        codedErrors: LEDGER_CODED_ERRORS,
        openApi: LEDGER_OPEN_API,
      },
    );
    const url = await application.listen(0);
    return new TestLedgerService(directory, writer, application, store, asker, place, url, seen);
  }

  /** Follows the log into the read model until `stopFollowing`. */
  follow(): void {
    assert(this.following === undefined, 'one runner at a time');
    const feed = new SourceFeed(this.writer.log);
    const runner = new ProjectionRunner({ feed, store: this.store });
    this.following = new AbortController();
    this.followed = runner.run(this.following.signal).finally(() => feed.close());
  }

  async stopFollowing(): Promise<void> {
    this.following?.abort();
    this.following = undefined;
    await this.followed;
  }

  /** Throws when the read model does not come to the position in good time. */
  async reached(position: Position): Promise<void> {
    const sight = new ReadModelSight(this.asker, CATCH_UP_MILLIS_MAX);
    const { signal } = new AbortController();
    const reached = await sight.waitForPosition(position, CATCH_UP_MILLIS_MAX, signal);
    assert(reached, `the read model comes to ${position}`);
  }

  /** Also a query that nobody asks by its name. */
  async answered<Result>(query: Asking<Result>): Promise<Result> {
    const { postgres } = this.place;
    if (postgres !== undefined) {
      const { PostgresQueries } = await import('../postgres/postgres-queries.js');
      const queries = new PostgresQueries(postgres);
      return await queries.answered(query).finally(() => queries.close());
    }
    const model = readModelIn(this.place);
    try {
      return model.read((now) =>
        answeredNow(query, ({ sql, values }) => now.prepare(sql).all(...values)),
      );
    } finally {
      model.close();
    }
  }

  /** Beside its own, of the same kind, and with nothing in it. */
  emptyStore(): Promise<ReadModelStore<unknown>> {
    const { readModelDirectory, postgres } = this.place;
    return openLedgerStore({
      readModelDirectory: `${readModelDirectory}-beside`,
      postgres: postgres && { ...postgres, schema: `${postgres.schema}b` },
    });
  }

  digest(): Promise<ReadModelDigest> {
    return this.store.digest();
  }

  get<Body>(
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<TestReply<Body>> {
    return this.send<Body>('GET', path, { headers });
  }

  /** A command under a new key. Throws unless it is accepted. */
  async command<Body>(method: string, path: string, body?: object): Promise<TestReply<Body>> {
    this.keys += 1;
    const headers = { 'idempotency-key': `key-${this.keys}` };
    const reply = await this.send<Body>(method, path, { headers, ...(body && { body }) });
    assert(reply.status < 300, `${method} ${path}: ${JSON.stringify(reply.body)}`);
    return reply;
  }

  async send<Body>(
    method: string,
    path: string,
    request: { readonly headers?: Readonly<Record<string, string>>; readonly body?: object },
  ): Promise<TestReply<Body>> {
    const { body, headers } = request;
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? undefined : JSON.parse(text)) as Body,
    };
  }

  async stopAndRemove(): Promise<void> {
    await this.stopFollowing();
    await this.application.stop(1_000);
    await this.store.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** The files of a service's read model in SQLite. */
export function readModelIn({ readModelDirectory: directory }: ReadModelPlace): SqliteReadModel {
  return SqliteReadModel.open({ directory, projection: ledgerProjection });
}
