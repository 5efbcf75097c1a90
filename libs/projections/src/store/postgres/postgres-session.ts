import { assert } from '@holdfast/kernel';
import { Client, type ClientConfig, Pool, type QueryResult, types } from 'pg';
import { unavailable } from '../../read-model.errors.js';
import { classified, isUnanswered } from './postgres-errors.js';

export interface PostgresConnection {
  /** `postgres://user:password@host:port/database`, as libpq takes it. A password is better given by `PGPASSWORD` or a password file. */
  readonly url: string;
  /** The schema of the catalog, and the first part of the names of all schemas beside it: lower-case letters and digits. Installations that share a database have one each. Default `holdfast`. */
  readonly schema?: string;
}

const CONNECT_MILLIS_MAX = 5_000;
const KEEP_ALIVE_MILLIS = 10_000;
/** A server that says nothing for so long has gone: the network cut it off, or its machine hangs. */
const ANSWER_MILLIS_MAX = 120_000;
/** A process that hangs within a transaction keeps others from what it has locked, for so long at most. */
const IDLE_TRANSACTION_WAIT = '5min';
const CLOSE_MILLIS_MAX = 1_000;
const BIGINT_OID = 20;
/** What a projection writes has few texts; one that makes a text for each number of values would fill the server's memory with prepared ones. */
const PREPARED_MAX = 200;

const parsers: NonNullable<ClientConfig['types']> = {
  getTypeParser: (oid, format) =>
    oid === BIGINT_OID && format !== 'binary' ? integerOf : types.getTypeParser(oid, format),
};

/** Positions and counts are numbers. */
function integerOf(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value))
    throw new RangeError(
      `the bigint ${text} is no exact number: use numeric, which is read as text`,
    );
  return value;
}

/** Where a read model is, without the password. Throws when a part of it might be taken for something else. */
export function placeOf({ url, schema = 'holdfast' }: PostgresConnection): string {
  // Of `holdfast:2024/Secret@db/books` the port would be 2024, and the rest a database that may be told.
  assert(
    !/[/?#].*@/.test(url.replace(/^[^/]*:\/\//, '')),
    'what follows a "@" has no "/" before it',
  );
  const { host, port, database } = new Client({ connectionString: url });
  return `postgres://${host}:${port}/${database ?? ''} (schema ${schema})`;
}

export function schemaOf({ schema = 'holdfast' }: PostgresConnection): string {
  assert(
    /^[a-z][a-z0-9]{0,19}$/.test(schema),
    'a schema is named by at most 20 lower-case letters and digits',
  );
  return schema;
}

function configOf({ url }: PostgresConnection, answerMillisMax: number): ClientConfig {
  return {
    connectionString: url,
    application_name: 'holdfast',
    connectionTimeoutMillis: CONNECT_MILLIS_MAX,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MILLIS,
    query_timeout: answerMillisMax,
    types: parsers,
  };
}

/** One connection, with each statement prepared once. What the server throws is classified. */
export class PostgresSession {
  private readonly names = new Map<string, string>();
  private lost = false;

  private constructor(
    private readonly client: Client,
    readonly place: string,
  ) {
    // Told by the next statement as well. Without a listener the process would end.
    client.on('error', () => (this.lost = true));
    client.on('end', () => (this.lost = true));
  }

  /** Throws `READ_MODEL_UNAVAILABLE`. */
  static async open(connection: PostgresConnection): Promise<PostgresSession> {
    const place = placeOf(connection);
    const session = new PostgresSession(new Client(configOf(connection, ANSWER_MILLIS_MAX)), place);
    try {
      await session.client.connect();
      await session.run(`SET idle_in_transaction_session_timeout = '${IDLE_TRANSACTION_WAIT}'`);
      return session;
    } catch (error) {
      await session.close();
      throw unavailable(place, error);
    }
  }

  /** Statements for one session, or for many through a pool, which gives it one for the time of `work`. */
  static pooled(
    connection: PostgresConnection,
    { connectionsMax, answerMillisMax }: { connectionsMax: number; answerMillisMax: number },
  ): SessionPool {
    const config = configOf(connection, answerMillisMax);
    return new SessionPool(
      new Pool({ ...config, max: connectionsMax, allowExitOnIdle: true }),
      placeOf(connection),
      (client, place) => new PostgresSession(client, place),
    );
  }

  get isLost(): boolean {
    return this.lost;
  }

  async rows<Row>(sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    return (await this.run<Row>(sql, values)).rows;
  }

  async run<Row>(sql: string, values: readonly unknown[] = []): Promise<QueryResult<Row>> {
    try {
      const name = values.length > 0 ? this.nameOf(sql) : undefined;
      return await this.client.query<Row>({ text: sql, values, ...(name && { name }) });
    } catch (error) {
      throw this.classified(error);
    }
  }

  /** Several statements in one message, without values. `answerMillisMax` where the server has not much to do. */
  async runAll(sql: string, answerMillisMax?: number): Promise<readonly QueryResult<unknown>[]> {
    try {
      const limit = answerMillisMax !== undefined && { query_timeout: answerMillisMax };
      const results = await this.client.query<unknown>({ text: sql, ...limit });
      return Array.isArray(results) ? (results as QueryResult<unknown>[]) : [results];
    } catch (error) {
      throw this.classified(error);
    }
  }

  async texts(sql: string): Promise<QueryResult<(string | null)[]>> {
    try {
      const asText = { getTypeParser: () => (text: string) => text };
      return await this.client.query({ text: sql, rowMode: 'array', types: asText });
    } catch (error) {
      throw this.classified(error);
    }
  }

  /** Runs the body in a transaction; everything or nothing. */
  async transaction<Result>(body: () => Promise<Result>): Promise<Result> {
    await this.run('BEGIN');
    try {
      const result = await body();
      await this.commit();
      return result;
    } catch (error) {
      await this.rollback();
      throw error;
    }
  }

  async commit(): Promise<void> {
    const { command } = await this.run('COMMIT');
    // The server ends a transaction in which a statement failed so, and calls it no error.
    if (command !== 'COMMIT') throw new Error('a statement of the transaction failed before');
  }

  /** Never throws: a session that cannot even do that is lost, and its transaction with it. */
  async rollback(): Promise<void> {
    if (!this.lost) await this.client.query('ROLLBACK').catch(() => (this.lost = true));
  }

  async close(): Promise<void> {
    this.lost = true;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MILLIS_MAX);
    });
    await Promise.race([this.client.end().catch(() => undefined), patience]);
    clearTimeout(timer);
  }

  private classified(error: unknown): unknown {
    // Whatever is sent behind a statement without an answer has none either.
    if (isUnanswered(error)) {
      this.lost = true;
      void this.client.end().catch(() => undefined);
    }
    const found = classified(this.place, error);
    // A statement that ran into the loss of its connection has no code of its own.
    if (found === error && this.lost) return unavailable(this.place, error);
    return found;
  }

  private nameOf(sql: string): string | undefined {
    const known = this.names.get(sql);
    if (known !== undefined || this.names.size >= PREPARED_MAX) return known;
    const name = `holdfast_${this.names.size + 1}`;
    this.names.set(sql, name);
    return name;
  }
}

/** Sessions for moments. */
export class SessionPool {
  /** Prepared statements are a connection's, so what knows their names is too. */
  private readonly sessions = new WeakMap<Client, PostgresSession>();

  constructor(
    private readonly pool: Pool,
    readonly place: string,
    private readonly sessionOf: (client: Client, place: string) => PostgresSession,
  ) {
    // Connections that idle in the pool end when the server does; the next statement opens another.
    pool.on('error', () => undefined);
  }

  /** Throws `READ_MODEL_UNAVAILABLE`, also when no connection becomes free in time, and what the work throws. */
  async with<Result>(work: (session: PostgresSession) => Promise<Result>): Promise<Result> {
    const client = await this.pool.connect().catch((error: unknown) => {
      throw unavailable(this.place, error);
    });
    let session = this.sessions.get(client);
    if (session === undefined) {
      session = this.sessionOf(client, this.place);
      this.sessions.set(client, session);
    }
    try {
      return await work(session);
    } finally {
      client.release(session.isLost);
    }
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}
