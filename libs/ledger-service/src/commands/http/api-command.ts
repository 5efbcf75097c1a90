import { applyDecorators, type Type } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse } from '@nestjs/swagger';
import { ApiProblems } from '../../shared/api-problems.js';

export interface CommandDescription {
  readonly summary: string;
  readonly description?: string;
  /** The resource, and whether the command makes it (201), finds or changes it (200), or either. */
  readonly resource: Type;
  readonly created?: boolean;
  readonly ok?: boolean;
  /** Beside those that every command has. */
  readonly problems: readonly string[];
  readonly key?: 'required' | 'optional';
  readonly ifMatch?: 'required' | 'optional';
}

const EVERY_COMMANDS_PROBLEMS = [
  'invalid-request',
  'idempotency-key-missing',
  'ledger-not-found',
  'idempotency-in-flight',
  'answer-removed',
  'too-large',
  'unsupported-media-type',
  'idempotency-key-reused',
  'overloaded',
  'storage-unavailable',
  'clock-skew',
];

export const positionHeader = {
  description:
    'The place of the answer in the log. Give it to a query as `minPosition` to read what was written.',
  schema: { type: 'string' },
};

const replayedHeader = {
  description:
    '`true` when the key had been used for this request before, and this is the answer given then.',
  schema: { type: 'string', enum: ['true'] },
};

/** Describes a command's handler: its header fields, its answers and all that may go wrong. */
export function ApiCommand(description: CommandDescription): MethodDecorator {
  const { summary, resource, created = false, problems } = description;
  const ok = description.ok ?? !created;
  return applyDecorators(
    ApiOperation({
      summary,
      ...(description.description && { description: description.description }),
    }),
    ApiHeader({
      name: 'Idempotency-Key',
      required: (description.key ?? 'required') === 'required',
      description:
        '1 to 255 visible ASCII characters, new for each new attempt. A repeated request is answered as it was the first time.',
      schema: { type: 'string' },
    }),
    ...(description.ifMatch === undefined
      ? []
      : [
          ApiHeader({
            name: 'If-Match',
            required: description.ifMatch === 'required',
            description: 'The ETag of the version that was seen.',
            schema: { type: 'string' },
          }),
        ]),
    ...(created ? [success(201, resource)] : []),
    // A dry run of what would create something answers 200 with the same body.
    success(200, resource, ok ? undefined : 'A dry run: nothing was recorded.'),
    ApiProblems(...EVERY_COMMANDS_PROBLEMS, ...problems),
  );
}

function success(status: 200 | 201, resource: Type, note?: string): MethodDecorator {
  return ApiResponse({
    status,
    description: note ?? (status === 201 ? 'Made, and durable.' : 'As it now is, and durable.'),
    type: resource,
    headers: {
      'Holdfast-Position': positionHeader,
      'Idempotency-Replayed': replayedHeader,
      ETag: {
        description: 'The version, for resources that have one.',
        schema: { type: 'string' },
      },
      ...(status === 201 && {
        Location: { description: 'The path of what was made.', schema: { type: 'string' } },
      }),
    },
  });
}
