import type { AnyCommand, Decider, Fact } from '@holdfast/commands';
import { UseInterceptors, applyDecorators } from '@nestjs/common';
import { marksHandler } from '../store/handler-checks.js';
import { CommandInterceptor } from './command.interceptor.js';

/**
 * The handler says which command the request means; this does the rest: `Idempotency-Key`, replays, refusals as problem+json, `?dryRun=true`, and
 * `Holdfast-Position` once it is on the disk. The status of an acceptance is the route's own. A handler that returns anything but a command of this decider does not compile.
 */
export function Executes<State, Command extends AnyCommand, Event extends Fact>(
  decider: Decider<State, Command, Event>,
) {
  return <Handler extends (...parameters: never[]) => Command | Promise<Command>>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<Handler>,
  ): void => {
    const name = `@Executes(${decider.name})`;
    applyDecorators(
      marksHandler({ name, of: 'deciders', subject: decider }),
      UseInterceptors(CommandInterceptor),
    )(target, key, descriptor);
  };
}
