import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Body,
  Controller,
  Get,
  HttpCode,
  Logger as NestLogger,
  Module,
  Param,
  Post,
  Query,
} from '@nestjs/common';
import { IsString, Matches } from 'class-validator';
import { type Served, serve } from '../testing/served.js';
import { PageQuery } from './page-query.dto.js';
import { ApiNoContentResponse, ApiOkResponse, ApiProperty } from '../openapi/api-description.js';

class Target {
  @ApiProperty({ pattern: '^[a-z]+$' })
  @Matches(/^[a-z]+$/)
  ledger!: string;
}

class Note {
  @ApiProperty({ type: String, nullable: true })
  @IsString()
  text!: string;
}

@Controller('v1/:ledger/notes')
class NotesController {
  @Get()
  @ApiOkResponse({ type: Note })
  list(@Param() target: Target, @Query() query: PageQuery): Note {
    return Object.assign(new Note(), { text: `${target.ledger} ${query.pageSize()}` });
  }

  @Post()
  @HttpCode(204)
  @ApiNoContentResponse()
  add(@Param() target: Target, @Body() note: Note): void {
    note.text += target.ledger;
  }
}

@Module({ controllers: [NotesController] })
class NotesModule {}

let served: Served;

beforeAll(async () => {
  served = await serve(NotesModule, {
    openApi: { title: 'Notes & <more>', version: '1.2.3', description: 'For tests.' },
  });
});

afterAll(() => served.application.stop(0));

describe('the OpenAPI document', () => {
  it('is generated from the controllers as OpenAPI 3.1, with the problem as every other answer', async () => {
    const response = await fetch(`${served.url}/openapi.json`);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    const problem = {
      description: 'A problem',
      content: {
        'application/problem+json': { schema: { $ref: '#/components/schemas/ProblemDetails' } },
      },
    };
    expect(await response.json()).toMatchObject({
      openapi: '3.1.0',
      info: { title: 'Notes & <more>', version: '1.2.3', description: 'For tests.' },
      paths: {
        '/v1/{ledger}/notes': {
          get: {
            parameters: [
              {
                name: 'ledger',
                in: 'path',
                required: true,
                schema: { type: 'string', pattern: '^[a-z]+$' },
              },
              {
                name: 'limit',
                in: 'query',
                required: false,
                schema: { type: 'integer', minimum: 1, maximum: 1000, default: 50 },
              },
              { name: 'cursor', in: 'query', required: false, schema: { type: 'string' } },
            ],
            responses: {
              200: {
                content: { 'application/json': { schema: { $ref: '#/components/schemas/Note' } } },
              },
              default: problem,
            },
          },
          post: { responses: { 204: {}, default: problem } },
        },
      },
      components: {
        schemas: {
          Note: {
            type: 'object',
            properties: { text: { type: ['string', 'null'] } },
            required: ['text'],
          },
          ProblemDetails: { required: ['type', 'title', 'status'], additionalProperties: true },
        },
      },
    });
  });

  it('leaves the endpoints for operators out', async () => {
    const { paths } = (await (await fetch(`${served.url}/openapi.json`)).json()) as {
      paths: object;
    };
    expect(Object.keys(paths)).toEqual(['/v1/{ledger}/notes']);
  });
});

describe('the page that shows it', () => {
  it('needs nothing from another host', async () => {
    const response = await fetch(`${served.url}/docs`);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'self'");
    const html = await response.text();
    expect(html).toContain('<title>Notes &#38; &#60;more&#62;</title>');
    expect(html).not.toMatch(/https?:\/\//);
    const assets = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path);
    expect(assets).toHaveLength(4);
    for (const asset of assets) {
      const answer = await fetch(served.url + asset);
      expect([asset, answer.status]).toEqual([asset, 200]);
      expect((await answer.bytes()).byteLength).toBeGreaterThan(50);
    }
  });

  it('serves scripts and styles with their media types', async () => {
    const typeOf = async (name: string) =>
      (await fetch(`${served.url}/docs/${name}`)).headers.get('content-type');
    expect(await typeOf('swagger-ui-bundle.js')).toBe('text/javascript; charset=utf-8');
    expect(await typeOf('swagger-ui.css')).toBe('text/css; charset=utf-8');
    expect(await typeOf('start.js')).toBe('text/javascript; charset=utf-8');
    expect((await fetch(`${served.url}/docs/..%2fpackage.json`)).status).toBe(404);
  });
});

it('ends what it answers as JSON with a newline, and nothing else', async () => {
  for (const path of [
    '/',
    '/openapi.json',
    '/health/ready',
    '/problems',
    '/v1/a/notes',
    '/nowhere',
  ])
    expect([path, (await (await fetch(served.url + path)).text()).slice(-2)]).toEqual([
      path,
      expect.stringMatching(/[}\]]\n$/),
    ]);
  expect((await (await fetch(`${served.url}/metrics`)).text()).endsWith('\n\n')).toBe(false);
});

it('says which media type it takes when it is sent another', async () => {
  const headers = { 'content-type': 'text/plain' };
  const answer = await fetch(`${served.url}/v1/a/notes`, { method: 'POST', body: 'x', headers });
  expect(await answer.json()).toMatchObject({
    status: 415,
    detail: expect.stringMatching(/: send application\/json$/),
  });
});

describe('the front page', () => {
  const front = async (accept: string) => {
    const answer = await fetch(`${served.url}/`, { headers: { accept } });
    return { type: answer.headers.get('content-type'), text: await answer.text() };
  };

  it('is HTML for a browser, and every link of it leads somewhere', async () => {
    const { type, text } = await front('text/html,application/xhtml+xml,*/*;q=0.8');
    expect(type).toBe('text/html; charset=utf-8');
    const links = [...text.matchAll(/href="([^"]+)"/g)].map(([, path = '']) => path);
    expect(links).toContain('/docs');
    for (const link of links)
      expect([link, (await fetch(served.url + link)).status]).toEqual([link, 200]);
  });

  it('is JSON for anybody else', async () => {
    const { type, text } = await front('*/*');
    expect(type).toMatch(/^application\/json/);
    expect(JSON.parse(text)).toMatchObject({ links: { '/docs': expect.any(String) } });
  });
});

it('neither exists when it was not asked for', async () => {
  const bare = await serve(NotesModule);
  expect((await fetch(`${bare.url}/openapi.json`)).status).toBe(404);
  expect((await fetch(`${bare.url}/docs`)).status).toBe(404);
  await bare.application.stop(0);
});

it('leaves the logger of Nest as it is when it describes what another process serves', async () => {
  const here = await serve(NotesModule, {
    openApi: { title: 'Notes', version: '1', elsewhere: { module: NotesModule } },
  });
  try {
    const lines = (): number => here.lines.filter(({ msg }) => msg === 'a line').length;
    new NestLogger('Test').warn('a line');
    expect(lines()).toBe(1);
    await fetch(`${here.url}/openapi.json`).then((answer) => answer.json());
    new NestLogger('Test').warn('a line');
    expect(lines()).toBe(2);
  } finally {
    await here.application.stop(0);
  }
});
