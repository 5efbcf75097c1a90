import { ApiHeader, ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@holdfast/platform';
import { Controller, Get, type Type, UseInterceptors, applyDecorators } from '@nestjs/common';
import { ApiProblems } from '../../shared/api-problems.js';
import type { MissingProblem } from '../finding.js';
import { QueryInterceptor } from './query.interceptor.js';

/** A controller whose handlers return a `LedgerQuery`; its tag is that of the commands for the same resource. */
export function QueryController(path: string, tag: ResourceTag): ClassDecorator {
  return applyDecorators(Controller(path), UseInterceptors(QueryInterceptor), ApiTags(tag));
}

type ResourceTag = 'ledgers' | 'assets' | 'accounts' | 'transfers' | 'reports';

export interface QueryDescription {
  readonly summary: string;
  readonly description?: string;
  readonly answer: Type;
  readonly missing?: readonly MissingProblem[];
  /** What the resource's version is good for; left out when it has none. */
  readonly etag?: string;
}

const EVERY_QUERYS_PROBLEMS = [
  'invalid-request',
  'position-unknown',
  'projection-lagging',
  'service-stopping',
];

/** A handler of `GET`, and what OpenAPI says of it. */
export function AnswersQuery(query: QueryDescription): MethodDecorator {
  const { summary, description, answer, missing = [], etag } = query;
  return applyDecorators(
    Get(),
    ApiOperation({ summary, ...(description && { description }) }),
    textHeader('Prefer', '`wait=N`: wait up to N seconds for `minPosition`.'),
    ApiOkResponse({ type: answer, headers: answerHeaders(etag) }),
    ...(etag === undefined
      ? []
      : [
          textHeader('If-None-Match', 'An `ETag` that the client has: 304 while it still holds.'),
          ApiResponse({
            status: 304,
            description: 'The version that the client has.',
            headers: answerHeaders(etag),
          }),
        ]),
    ApiProblems(...EVERY_QUERYS_PROBLEMS, ...missing),
  );
}

function textHeader(name: string, description: string) {
  return ApiHeader({ name, required: false, description, schema: { type: 'string' } });
}

function answerHeaders(etag: string | undefined) {
  const position = 'The moment that the answer shows: `minPosition` of a later query.';
  return {
    'Holdfast-Position': { description: position, schema: { type: 'string' } },
    ...(etag !== undefined && { ETag: { description: etag, schema: { type: 'string' } } }),
  } as const;
}
