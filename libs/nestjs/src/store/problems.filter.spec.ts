import {
  Body,
  ConflictException,
  Controller,
  Get,
  ImATeapotException,
  Module,
  Param,
  Post,
  ServiceUnavailableException,
  ValidationPipe,
} from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { IsInt, IsNotEmpty, Min } from 'class-validator';
import { Executes, ProblemsFilter } from '../index.js';
import { ProblemException } from '../http/problem.exception.js';
import { type ParcelService, startParcels } from '../testing/parcel-service.js';
import { parcel } from '../testing/parcels.js';
import { TestEventStore } from '../testing/test-event-store.js';

class ParcelBody {
  @IsNotEmpty() town!: string;
  @IsInt() @Min(1) grams!: number;
}

const THROWN: Readonly<Record<string, () => Error>> = {
  own: () => new ConflictException({ code: 'MINE' }),
  conflict: () => new ConflictException('There is one already.'),
  teapot: () => new ImATeapotException(),
  away: () => new ServiceUnavailableException('Come back later.'),
  problem: () => new ProblemException('parcel-not-found', { parameters: { parcel: 'a' } }),
};

@Controller('checked')
class CheckedController {
  @Post(':parcel')
  @Executes(parcel)
  send(@Param('parcel') id: string, @Body() body: ParcelBody) {
    return parcel.command('SendParcel', { parcel: id, town: body.town, grams: body.grams });
  }

  @Get(':thrown')
  fail(@Param('thrown') thrown: string) {
    throw THROWN[thrown]!();
  }
}

@Module({
  controllers: [CheckedController],
  providers: [
    { provide: APP_PIPE, useValue: new ValidationPipe({ whitelist: true }) },
    { provide: APP_FILTER, useClass: ProblemsFilter },
  ],
})
class CheckedModule {}

describe('what Nest refuses is problem+json', () => {
  let store: TestEventStore;
  let service: ParcelService;

  beforeAll(async () => {
    store = new TestEventStore();
    service = await startParcels(store.options, [CheckedModule]);
  });
  afterAll(async () => {
    await service.application.close();
    store.remove();
  });

  const ask = async (method: string, path: string, body?: object) => {
    const answered = await service.ask(method, path, { key: path, ...(body && { body }) });
    return { ...answered, type: answered.headers.get('content-type') };
  };
  const problem = expect.stringMatching(/^application\/problem\+json/);

  it('a body that the ValidationPipe refuses, with what it says of each field', async () => {
    expect(await ask('POST', 'checked/a', { town: '', grams: 0 })).toMatchObject({
      ...{ status: 400, type: problem },
      text: JSON.stringify({
        ...{ type: '/problems/invalid-request', title: 'The request is not valid', status: 400 },
        errors: [
          { detail: 'town should not be empty' },
          { detail: 'grams must not be less than 1' },
        ],
      }),
    });
    expect((await ask('POST', 'checked/b', { town: 'Bern', grams: 1 })).status).toBe(201);
  });

  it.each([
    ['DELETE', 'parcels/a', 403, { type: '/problems/forbidden' }],
    ['GET', 'nowhere', 404, { type: '/problems/not-found', detail: 'Cannot GET /nowhere' }],
    ['GET', 'checked/problem', 404, { type: '/problems/parcel-not-found', parcel: 'a' }],
    [
      ...(['GET', 'checked/conflict', 409] as const),
      { type: 'about:blank', title: 'Conflict', status: 409, detail: 'There is one already.' },
    ],
    ['GET', 'checked/teapot', 418, { type: 'about:blank', title: "I'm a Teapot" }],
    ['GET', 'checked/away', 503, { type: 'about:blank', outcome: 'unknown' }],
  ])('%s %s', async (method, path, status, body) => {
    expect(await ask(method, path)).toMatchObject({ status, type: problem, body });
  });

  it('but what has a body of its own keeps it', async () => {
    expect(await ask('GET', 'checked/own')).toMatchObject({
      ...{ status: 409, type: 'application/json; charset=utf-8', body: { code: 'MINE' } },
    });
  });
});
