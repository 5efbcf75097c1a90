import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { AcceptsAnyQuery } from '../validation/undeclared-query.guard.js';
import { Metrics } from './metrics.js';
import { ApiExcludeController } from '../openapi/api-description.js';

@ApiExcludeController()
@AcceptsAnyQuery()
@Controller('metrics')
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  @Get()
  async collect(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    void reply.header('content-type', this.metrics.registry.contentType);
    return this.metrics.registry.metrics();
  }
}
