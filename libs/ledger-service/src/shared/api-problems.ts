import { applyDecorators } from '@nestjs/common';
import {
  ApiResponse,
  PLATFORM_PROBLEMS,
  PROBLEM_MEDIA_TYPE,
  type ProblemKinds,
  getSchemaPath,
} from '@holdfast/platform';
import { LEDGER_PROBLEMS } from './ledger-problems.js';

const PROBLEMS: ProblemKinds = { ...PLATFORM_PROBLEMS, ...LEDGER_PROBLEMS };

/** The problems that a handler may answer with, by status. */
export function ApiProblems(...slugs: readonly string[]): MethodDecorator {
  const byStatus = new Map<number, string[]>();
  for (const slug of slugs) {
    const status = PROBLEMS[slug]?.status ?? 500;
    byStatus.set(status, [...(byStatus.get(status) ?? []), slug]);
  }
  return applyDecorators(
    ...Array.from(byStatus, ([status, kinds]) =>
      ApiResponse({
        status,
        description: kinds
          .map((kind) => `\`/problems/${kind}\`: ${PROBLEMS[kind]?.title ?? kind}.`)
          .join('  \n'),
        content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: getSchemaPath('ProblemDetails') } } },
      }),
    ),
  );
}
