import { UseInterceptors, applyDecorators } from '@nestjs/common';
import type { Followed } from './event-streams.js';
import { EventsInterceptor } from './events.interceptor.js';

/**
 * The handler of a `GET` says which events the client may follow; this does the rest: `after` or `Last-Event-ID`, `limit`, `type` and `tag`, and by `Accept` a page
 * of JSON, lines of JSON, or a live stream (server-sent events).
 */
export function Follows() {
  return <Handler extends (...parameters: never[]) => Followed | Promise<Followed>>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<Handler>,
  ): void => {
    applyDecorators(UseInterceptors(EventsInterceptor))(target, key, descriptor);
  };
}
