import { ApiBody, ApiHeader, ApiOperation, ApiResponse } from '@holdfast/platform';
import { applyDecorators, type Type } from '@nestjs/common';
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
  readonly body?: Type;
  /** By name, in an order in which each succeeds after those of the operations before. */
  readonly examples?: Readonly<Record<string, CommandExample>>;
}

export interface CommandExample {
  readonly key?: string;
  readonly ifMatch?: string;
  readonly body: object;
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

export const dryRunHeader = {
  description: '`true` for a dry run: nothing was recorded.',
  schema: { type: 'string', enum: ['true'] },
};

const replayedHeader = {
  description:
    '`true` when the key had been used for this request before, and this is the answer given then.',
  schema: { type: 'string', enum: ['true'] },
};

/** Describes a command's handler: its header fields, its answers and all that may go wrong. */
export function ApiCommand(description: CommandDescription): MethodDecorator {
  const { summary, resource, created = false, problems, body, examples = {} } = description;
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
      ...named(examples, ({ key }) => key),
    }),
    ...(description.ifMatch === undefined
      ? []
      : [
          ApiHeader({
            name: 'If-Match',
            required: description.ifMatch === 'required',
            description: 'The ETag of the version that was seen.',
            schema: { type: 'string' },
            ...named(examples, ({ ifMatch }) => ifMatch),
          }),
        ]),
    ...(body === undefined
      ? []
      : [ApiBody({ type: body, ...named(examples, (example) => example.body) })]),
    ...(created ? [made(resource)] : []),
    ok ? asItIs(resource) : rehearsed(resource),
    ApiProblems(...EVERY_COMMANDS_PROBLEMS, ...problems),
  );
}

/** The examples' values for one part of the request; nothing when none has one. */
function named(
  examples: NonNullable<CommandDescription['examples']>,
  valueOf: (example: CommandExample) => unknown,
): { readonly examples?: Record<string, { value: unknown }> } {
  const values = Object.entries(examples)
    .map(([name, example]) => [name, { value: valueOf(example) }] as const)
    .filter(([, { value }]) => value !== undefined);
  return values.length === 0 ? {} : { examples: Object.fromEntries(values) };
}

const ANSWER_HEADERS = {
  'Holdfast-Position': positionHeader,
  'Idempotency-Replayed': replayedHeader,
  ETag: { description: 'The version, for resources that have one.', schema: { type: 'string' } },
};

function made(resource: Type): MethodDecorator {
  return ApiResponse({
    status: 201,
    description: 'Made, and durable.',
    type: resource,
    headers: {
      ...ANSWER_HEADERS,
      Location: { description: 'The path of what was made.', schema: { type: 'string' } },
    },
  });
}

function asItIs(resource: Type): MethodDecorator {
  return ApiResponse({
    status: 200,
    description:
      'As it now is, and durable. In a dry run as it would be, with `Holdfast-Dry-Run` and no other of these header fields.',
    type: resource,
    headers: { ...ANSWER_HEADERS, 'Holdfast-Dry-Run': dryRunHeader },
  });
}

/** A dry run of what would create something answers 200 with the same body. */
function rehearsed(resource: Type): MethodDecorator {
  return ApiResponse({
    status: 200,
    description: 'A dry run: nothing was recorded.',
    type: resource,
    headers: { 'Holdfast-Dry-Run': dryRunHeader },
  });
}
