import type { EntityEvent, Fact } from '@holdfast/commands';
import { assert } from '@holdfast/kernel';
import type { SqlProjection, SqliteTransaction } from '@holdfast/projections';

/** A projection into SQLite. */
export type SqliteProjection = SqlProjection<SqliteTransaction>;

export interface ProjectionDefinition<Event extends Fact> extends Pick<
  SqliteProjection,
  'name' | 'version' | 'tables' | 'touches'
> {
  /**
   * A pure, synchronous function for each type of event: no clock, no random, nothing kept between calls. Everything written is committed together with the
   * position, or not at all. What it returns is ignored, but for a promise: nothing waits for it, so the projection fails at that event and its position stays.
   */
  readonly on: {
    readonly [Type in Event['type']]?: (
      event: EntityEvent<Extract<Event, { readonly type: Type }>>,
      tables: SqliteTransaction,
    ) => NoPromise;
  };
}

/** Also what a statement returns, so that a step can be one expression. */
type NoPromise =
  | undefined
  | null
  | string
  | number
  | bigint
  | boolean
  | (object & { readonly then?: never })
  // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- a step without a result
  | void;

type Step = (event: object, tables: SqliteTransaction) => unknown;

/** Tables that are a fold of events. A value and no class, so that a thread can run it without dependency injection. */
export function projection<Event extends Fact>({
  name,
  version,
  tables,
  touches,
  on,
}: ProjectionDefinition<Event>): SqliteProjection {
  const steps = new Map(Object.entries(on as Readonly<Record<string, Step>>));
  return {
    ...{ name, version, tables, ...(touches && { touches }) },
    handles: [...steps.keys()],
    apply(events, transaction) {
      for (const event of events) {
        const id = event.stream.slice(event.stream.indexOf('/') + 1);
        const made = steps.get(event.type)?.({ ...event, id }, transaction);
        if (isThenable(made)) refusePromise(made, name, event.type);
      }
    },
  };
}

function isThenable(made: unknown): made is PromiseLike<unknown> {
  return typeof (made as Partial<PromiseLike<unknown>> | null | undefined)?.then === 'function';
}

/** Its own failure is heard and dropped: unheard, it would end the process. */
function refusePromise(made: PromiseLike<unknown>, name: string, type: string): void {
  made.then(undefined, () => undefined);
  assert(false, `the step of ${name} for ${type} returns a promise: a step is synchronous`);
}
