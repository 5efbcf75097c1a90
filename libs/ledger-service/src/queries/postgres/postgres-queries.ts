import type {
  PostgresConnection,
  PostgresReadModel,
  PostgresSnapshot,
} from '@holdfast/projections/postgres';
import { openPostgresLedger } from '../../projections/postgres/postgres-ledger.js';
import { type Asking, answeredLater } from '../asking.js';
import { type Asked, type QueryAsker, type QueryCall, asText, queryOf } from '../ledger-queries.js';
import { QueryQueue, type WaitingQuery } from '../query-queue.js';
import { postgresText, postgresValue } from './postgres-text.js';

/** More at a time make a server no faster, and each has a process there. */
const QUERIES_MAX = 8;
const QUERY_MILLIS_MAX = 30_000;
/** `ReadModelSight` has one at a time, and gives it up long before. */
const LOOK_MILLIS_MAX = 5_000;
/** A query that runs at the end of the service may take so long. */
const STOP_MILLIS_MAX = 2_000;

/** Answers queries from PostgreSQL, so many at a time and the others in their order. Looks have a connection of their own: no query holds them up. */
export class PostgresQueries implements QueryAsker {
  private readonly queue = new QueryQueue(() => this.hand());
  private readonly running = new Set<Promise<void>>();
  private readonly model: PostgresReadModel;
  private readonly sight: PostgresReadModel;

  /** Connects when it is first asked. Throws `POSTGRES_URL_INVALID`. */
  constructor(connection: PostgresConnection) {
    const limits = { connectionsMax: QUERIES_MAX, statementMillisMax: QUERY_MILLIS_MAX };
    this.model = openPostgresLedger(connection, limits);
    const looks = { connectionsMax: 1, statementMillisMax: LOOK_MILLIS_MAX };
    this.sight = openPostgresLedger(connection, looks);
  }

  ask(call: QueryCall, signal: AbortSignal): Promise<Asked> {
    if (call.name !== 'look' || this.queue.isClosing) return this.queue.ask(call, signal);
    return signal.aborted ? Promise.reject(asError(signal)) : askLater(this.sight, call);
  }

  /** One that has no name, or other bounds than those that clients have. */
  answered<Result>(query: Asking<Result>): Promise<Result> {
    return this.model.read((now) => answeredIn(now, query));
  }

  /** Queries that wait are refused; those that run are answered, unless they take too long. */
  async close(): Promise<void> {
    this.queue.close();
    const ended = Promise.all(this.running).then(() =>
      Promise.all([this.model.close(), this.sight.close()]),
    );
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, STOP_MILLIS_MAX);
    });
    await Promise.race([ended, patience]);
    clearTimeout(timer);
  }

  private hand(): void {
    while (this.running.size < QUERIES_MAX) {
      const query = this.queue.next();
      if (query === undefined) return;
      const running = this.answer(query).finally(() => {
        this.running.delete(running);
        this.hand();
      });
      this.running.add(running);
    }
  }

  /** Never rejects. */
  private answer({ call, resolve, reject }: WaitingQuery): Promise<void> {
    return askLater(this.model, call).then(resolve, reject);
  }
}

async function askLater(model: PostgresReadModel, call: QueryCall): Promise<Asked> {
  return await model.read(async (now) => {
    const finding = await answeredIn(now, queryOf(call));
    return { finding: asText(finding), cursor: now.cursor };
  });
}

function answeredIn<Result>({ query }: PostgresSnapshot, asking: Asking<Result>): Promise<Result> {
  return answeredLater(asking, ({ sql, values }) =>
    query(postgresText(sql), values.map(postgresValue)),
  );
}

function asError({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
