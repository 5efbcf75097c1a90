import { ProblemException } from '@holdfast/platform';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { AdminAccess } from './admin-access.js';

/** Liveness is asked by whoever supervises the process, and tells nothing. */
const OPEN_PATH = '/health/live';

/** Stands before every route of the admin API. */
@Injectable()
export class AdminGuard implements CanActivate {
  constructor(private readonly access: AdminAccess) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (request.routeOptions.url === OPEN_PATH) return true;
    switch (this.access.check(request)) {
      case 'granted':
        return true;
      case 'unauthorized':
        throw new ProblemException('unauthorized', {
          detail: 'Send the token of the admin API: Authorization: Bearer …',
          headers: { 'www-authenticate': 'Bearer realm="holdfast-admin"' },
        });
      case 'forbidden':
        throw new ProblemException('forbidden', {
          detail:
            'Without a token the admin API serves programs of its own machine, and no web pages.',
        });
    }
  }
}
