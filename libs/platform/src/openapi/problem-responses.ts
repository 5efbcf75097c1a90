import { applyDecorators } from '@nestjs/common';
import { PROBLEM_MEDIA_TYPE, type ProblemKinds } from '@holdfast/nestjs/http';
import { ApiResponse, getSchemaPath } from './api-description.js';

/** Makes the decorator that says which problems of `kinds` a handler may answer with, by status: `ApiProblems('not-found')`. */
export function problemResponses(kinds: ProblemKinds) {
  return (...slugs: readonly string[]): MethodDecorator => {
    const byStatus = Map.groupBy(slugs, (slug) => kinds[slug]?.status ?? 500);
    return applyDecorators(
      ...Array.from(byStatus, ([status, ofStatus]) =>
        ApiResponse({
          status,
          description: ofStatus
            .map((slug) => `\`/problems/${slug}\`: ${kinds[slug]?.title ?? slug}.`)
            .join('  \n'),
          content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: getSchemaPath('ProblemDetails') } } },
        }),
      ),
    );
  };
}
