import type { AnyCommand, Attempt, CommandOutcome, Decider, Fact, Keyed } from '@holdfast/commands';
import type { RecordedEvent } from '@holdfast/event-store';
import { Inject, Injectable } from '@nestjs/common';
import { EventStore } from './event-store.js';

/** Commands from within the service: a schedule, a message, another handler. */
@Injectable()
export class Commands {
  constructor(@Inject(EventStore) private readonly store: EventStore) {}

  /** Resolves once the outcome may be told. Throws what `CommandWriter.execute` throws. */
  execute<State, Command extends AnyCommand, Event extends Fact>(
    _of: Decider<State, Command, Event>,
    command: Command,
    attempt: Attempt,
  ): Promise<CommandOutcome<object>> {
    return this.store.writer.execute(command, attempt);
  }

  /** The state of an entity or a lookup, of everything that was decided: not all of it may be durable. */
  read<State>(of: Keyed<State>, id: string): State {
    return this.store.writer.view(of, id);
  }

  /** The durable events of an entity, as they are today: after upcasting. */
  history({ name }: Keyed<unknown>, id: string): AsyncIterable<RecordedEvent> {
    return this.store.writer.log.readStream(`${name}/${id}`);
  }
}
