import { Controller, Get, HttpStatus, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { AcceptsAnyQuery } from '../validation/undeclared-query.guard.js';
import { Health, type HealthReport } from './health.js';
import { ApiExcludeController } from '../openapi/api-description.js';

@ApiExcludeController()
@AcceptsAnyQuery()
@Controller('health')
export class HealthController {
  constructor(private readonly health: Health) {}

  /** The process answers. Restart it when this fails. */
  @Get('live')
  live(): { readonly live: true } {
    return { live: true };
  }

  /** Requests may be sent here. Send them elsewhere while this is 503. */
  @Get('ready')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthReport> {
    const report = await this.health.report();
    if (!report.ready) void reply.code(HttpStatus.SERVICE_UNAVAILABLE);
    return report;
  }
}
