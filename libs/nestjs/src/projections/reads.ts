import { UseInterceptors, applyDecorators } from '@nestjs/common';
import type { SqliteProjection } from '../feature/projection.js';
import { marksHandler } from '../store/handler-checks.js';
import { type Query, QueryInterceptor } from './query.interceptor.js';

/** The handler returns the query; this waits for `?minPosition=`, asks one snapshot, and says in `Holdfast-Position` of which moment the answer is. */
export function Reads(projection: SqliteProjection) {
  return <Handler extends (...parameters: never[]) => Query | Promise<Query>>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<Handler>,
  ): void => {
    const name = `@Reads(${projection.name})`;
    applyDecorators(
      marksHandler({ name, of: 'projections', subject: projection }),
      UseInterceptors(QueryInterceptor),
    )(target, key, descriptor);
  };
}
