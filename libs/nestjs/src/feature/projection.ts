import type { Fact } from '@holdfast/commands';
import type { RecordedEvent } from '@holdfast/event-store';
import type { SqlProjection, SqliteTransaction } from '@holdfast/projections';

/** A projection into SQLite. */
export type SqliteProjection = SqlProjection<SqliteTransaction>;

/** A recorded event with the data of its type, and the id of the entity whose stream it is in. */
export type ProjectedEvent<Event extends Fact> = Omit<RecordedEvent, 'type' | 'data'> &
  Pick<Event, 'type' | 'data'> & { readonly id: string };

export interface ProjectionDefinition<Event extends Fact> extends Pick<
  SqliteProjection,
  'name' | 'version' | 'tables'
> {
  /** A pure function for each type of event: no clock, no random, nothing kept between calls. Everything written is committed together with the position, or not at all. */
  readonly on: {
    readonly [Type in Event['type']]?: (
      event: ProjectedEvent<Extract<Event, { readonly type: Type }>>,
      tables: SqliteTransaction,
    ) => unknown;
  };
}

type Step = (event: object, tables: SqliteTransaction) => unknown;

/** Tables that are a fold of events. A value and no class, so that a thread can run it without dependency injection. */
export function projection<Event extends Fact>({
  name,
  version,
  tables,
  on,
}: ProjectionDefinition<Event>): SqliteProjection {
  const steps = new Map(Object.entries(on as Readonly<Record<string, Step>>));
  return {
    ...{ name, version, tables },
    handles: [...steps.keys()],
    apply(events, transaction) {
      for (const event of events) {
        const id = event.stream.slice(event.stream.indexOf('/') + 1);
        steps.get(event.type)?.({ ...event, id }, transaction);
      }
    },
  };
}
