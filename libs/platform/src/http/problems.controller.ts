import { Controller, Get, Param } from '@nestjs/common';
import { ApiExcludeController } from '../openapi/api-description.js';
import { AcceptsAnyQuery } from '../validation/undeclared-query.guard.js';
import { ProblemCatalogue, ProblemException, problemType } from '@holdfast/nestjs/http';

interface DescribedProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
}

/** The `type` of a problem is a path of the service itself: this is what stands there. */
@ApiExcludeController()
@AcceptsAnyQuery()
@Controller('problems')
export class ProblemsController {
  constructor(private readonly catalogue: ProblemCatalogue) {}

  @Get()
  list(): readonly DescribedProblem[] {
    return [...this.catalogue.entries()].map(([slug, { title, status }]) => ({
      type: problemType(slug),
      title,
      status,
    }));
  }

  @Get(':slug')
  one(@Param('slug') slug: string): DescribedProblem {
    const described = this.list().find(({ type }) => type === problemType(slug));
    if (described === undefined) throw new ProblemException('not-found');
    return described;
  }
}
