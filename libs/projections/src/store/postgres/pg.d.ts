/** The part of `pg` that is used here. */
declare module 'pg' {
  import type { EventEmitter } from 'node:events';
  import type { ConnectionOptions } from 'node:tls';

  export interface ClientConfig {
    readonly connectionString?: string;
    readonly ssl?: boolean | ConnectionOptions;
    readonly application_name?: string;
    readonly connectionTimeoutMillis?: number;
    readonly keepAlive?: boolean;
    readonly keepAliveInitialDelayMillis?: number;
    readonly query_timeout?: number;
    readonly statement_timeout?: number;
    readonly options?: string;
    readonly types?: { getTypeParser(oid: number, format?: string): (text: string) => unknown };
  }

  export interface PoolConfig extends ClientConfig {
    readonly max?: number;
    readonly idleTimeoutMillis?: number;
    readonly allowExitOnIdle?: boolean;
  }

  export interface QueryConfig {
    readonly text: string;
    readonly name?: string;
    readonly values?: readonly unknown[];
    readonly rowMode?: 'array';
    readonly query_timeout?: number;
    readonly types?: ClientConfig['types'];
  }

  export interface QueryResult<Row> {
    readonly rows: Row[];
    readonly rowCount: number | null;
    readonly command: string;
    readonly fields: readonly { readonly name: string }[];
  }

  export class Client extends EventEmitter {
    constructor(config: ClientConfig);
    readonly host: string;
    readonly port: number;
    readonly database: string | undefined;
    connect(): Promise<void>;
    query<Row>(query: string | QueryConfig): Promise<QueryResult<Row>>;
    end(): Promise<void>;
  }

  export interface PoolClient extends Client {
    release(destroy?: boolean): void;
  }

  export class Pool extends EventEmitter {
    constructor(config: PoolConfig);
    connect(): Promise<PoolClient>;
    end(): Promise<void>;
  }

  export const types: { getTypeParser(oid: number, format?: string): (text: string) => unknown };
  export function escapeIdentifier(name: string): string;
  export function escapeLiteral(text: string): string;
}
