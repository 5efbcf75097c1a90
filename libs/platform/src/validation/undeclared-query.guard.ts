import {
  type CanActivate,
  type CustomDecorator,
  type ExecutionContext,
  Injectable,
  SetMetadata,
} from '@nestjs/common';
import { ROUTE_ARGS_METADATA, RouteParamtypes } from '@nestjs/common/internal';
import type { FastifyRequest } from 'fastify';
import { pointerStep } from '../json/json-pointer.js';
import { ProblemException } from '@holdfast/nestjs/http';

const ACCEPTS_ANY_QUERY = 'holdfast:accepts-any-query';

/** For a controller or a route whose query parameters nobody reads and nobody minds. */
export function AcceptsAnyQuery(): CustomDecorator {
  return SetMetadata(ACCEPTS_ANY_QUERY, true);
}

/**
 * A route that declares no `@Query()` takes no query parameters. Otherwise `?dryrun=true` on a route that knows no `dryRun` would be
 * ignored, and what was meant as a rehearsal would move money.
 */
@Injectable()
export class UndeclaredQueryGuard implements CanActivate {
  private readonly accepting = new WeakMap<object, boolean>();

  canActivate(context: ExecutionContext): boolean {
    const { query } = context.switchToHttp().getRequest<FastifyRequest>();
    for (const name in query as object) {
      if (this.acceptsQuery(context)) return true;
      throw new ProblemException('invalid-request', {
        parameters: {
          errors: [
            {
              in: 'query',
              pointer: pointerStep(name),
              detail: `${name} is not a parameter of this resource`,
            },
          ],
        },
      });
    }
    return true;
  }

  private acceptsQuery(context: ExecutionContext): boolean {
    const handler = context.getHandler();
    const known = this.accepting.get(handler);
    if (known !== undefined) return known;
    const accepts = declaresQuery(context.getClass(), handler);
    this.accepting.set(handler, accepts);
    return accepts;
  }
}

function declaresQuery(controller: object, handler: { readonly name: string }): boolean {
  if (Reflect.hasMetadata(ACCEPTS_ANY_QUERY, controller)) return true;
  if (Reflect.hasMetadata(ACCEPTS_ANY_QUERY, handler)) return true;
  const parameters: unknown = Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, handler.name);
  return Object.keys(parameters ?? {}).some((key) => key.startsWith(`${RouteParamtypes.QUERY}:`));
}
