import {
  Body,
  Controller,
  Delete,
  ForbiddenException,
  Get,
  Module,
  Param,
  Post,
  Put,
} from '@nestjs/common';
import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import {
  EventStoreModule,
  type EventStoreOptions,
  Executes,
  type Followed,
  Follows,
  HoldfastHealth,
  ProjectionsModule,
  type Query,
  Reads,
} from '../index.js';
import { parcel, parcels, shelf } from './parcels.js';

@Controller()
export class ParcelController {
  constructor(private readonly health: HoldfastHealth) {}

  @Post('parcels/:parcel')
  @Executes(parcel)
  send(@Param('parcel') id: string, @Body() body: { town: string; grams: number }) {
    return parcel.command('SendParcel', { parcel: id, ...body });
  }

  @Put('parcels/:parcel/to/:to')
  @Executes(parcel)
  handOver(@Param('parcel') id: string, @Param('to') to: string) {
    return parcel.command('HandOver', { parcel: id, to });
  }

  @Post('parcels/:parcel/weight')
  @Executes(parcel)
  weigh(@Param('parcel') id: string) {
    return parcel.command('WeighAgain', { parcel: id });
  }

  @Delete('parcels/:parcel')
  @Executes(parcel)
  remove(): { type: 'WeighAgain'; parcel: string } {
    throw new ForbiddenException();
  }

  @Post('nothing')
  @Executes(parcel)
  nothing() {
    return undefined as unknown as { type: 'WeighAgain'; parcel: string };
  }

  @Get('towns/:town')
  @Reads(shelf)
  town(@Param('town') town: string): Query {
    return (tables) => {
      const rows = tables.prepare('SELECT id FROM parcels WHERE town = ? ORDER BY id').all(town);
      return rows.length === 0 ? undefined : rows;
    };
  }

  @Get('events')
  @Follows()
  events(): Followed {
    return {};
  }

  @Get('parcels/:parcel/events')
  @Follows()
  eventsOf(@Param('parcel') id: string): Followed {
    return { filter: { streamPrefix: `parcel/${id}` } };
  }

  @Get('health')
  ready() {
    return this.health.check();
  }
}

@Module({
  imports: [EventStoreModule.forFeature(parcels)],
  controllers: [ParcelController],
})
export class ParcelsModule {}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

export interface ParcelService {
  readonly application: INestApplication;
  readonly url: string;
  ask(method: string, path: string, options?: AskOptions): Promise<Answered>;
}

export interface AskOptions {
  readonly key?: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function startParcels(
  options: EventStoreOptions,
  imports: ModuleMetadata['imports'] = [],
  adapter: AbstractHttpAdapter = new FastifyAdapter(),
  bodyParser = true,
): Promise<ParcelService> {
  const module = await Test.createTestingModule({
    imports: [
      ProjectionsModule.forRoot(),
      ParcelsModule,
      EventStoreModule.forRoot(options),
      ...imports,
    ],
  }).compile();
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Nest declares its options as a class
  const application = module.createNestApplication(adapter, { bodyParser });
  application.useLogger(false);
  await application.listen(0, '127.0.0.1');
  const url = await application.getUrl();
  return {
    ...{ application, url },
    ask: async (method, path, { key, body, headers = {} } = {}) => {
      const response = await fetch(`${url}/${path}`, {
        method,
        headers: {
          ...(key !== undefined && { 'idempotency-key': key }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const parsed: unknown = text === '' ? {} : JSON.parse(text);
      return {
        ...{ status: response.status, headers: response.headers, text },
        body: parsed as Record<string, unknown>,
      };
    },
  };
}
