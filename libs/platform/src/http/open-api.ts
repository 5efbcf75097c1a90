import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { describeApi } from '../openapi/api-description.js';
import { asHtml } from './front-page.js';
import { PROBLEM_MEDIA_TYPE } from '@holdfast/nestjs/http';

export interface OpenApiOptions {
  readonly title: string;
  readonly version: string;
  readonly description?: string;
  /** In the order in which a newcomer needs them: the document's paths follow it. */
  readonly tags?: readonly { readonly name: string; readonly description: string }[];
  /** Whether every request must carry a bearer token; otherwise the document says that nobody is asked who he is. */
  readonly wantsToken?: boolean;
  /** A module that another process serves by the same address. It is described here, and nothing of it is made. */
  readonly elsewhere?: DynamicModule;
}

type Path = OpenAPIObject['paths'][string];
type Schema = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>[string];

const TOKEN = 'token';

/**
 * `/openapi.json`, generated from the controllers, and `/docs`, a page that shows it. Neither needs anything from another host. The document is made when it is
 * first asked for: a start does not wait for it.
 */
export function serveOpenApi(nest: NestFastifyApplication, options: OpenApiOptions): void {
  let made: Promise<string> | undefined;
  const fastify = nest.getHttpAdapter().getInstance();
  fastify.get('/openapi.json', async (_request, reply) => {
    made ??= textOf(nest, options).catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return reply.header('content-type', 'application/json').send(await made);
  });
  servePage(fastify, options.title);
}

async function textOf(nest: NestFastifyApplication, options: OpenApiOptions): Promise<string> {
  const here = await openApiDocument(nest, options);
  return JSON.stringify(inOrder(together(here, await describedElsewhere(options))));
}

/** The document: every operation may also answer with a problem. */
export async function openApiDocument(
  nest: NestFastifyApplication,
  { title, version, description = '', tags = [], wantsToken = false }: OpenApiOptions,
): Promise<OpenAPIObject> {
  const { DocumentBuilder, SwaggerModule } = await describeApi();
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle(title)
    .setVersion(version)
    .setDescription(description)
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addServer('/', 'The service that serves this document.');
  for (const tag of tags) builder.addTag(tag.name, tag.description);
  if (wantsToken)
    builder.addBearerAuth({ type: 'http', scheme: 'bearer' }, TOKEN).addSecurityRequirements(TOKEN);
  const document = SwaggerModule.createDocument(nest, builder.build());
  document.security ??= [];
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, ProblemDetails: PROBLEM_SCHEMA },
  };
  for (const path of Object.values(document.paths))
    for (const { responses } of operationsOf(path)) responses['default'] ??= PROBLEM_RESPONSE;
  return document;
}

/** Nest makes nothing of an application in preview: it only knows the routes. */
async function describedElsewhere(options: OpenApiOptions): Promise<OpenAPIObject | undefined> {
  if (options.elsewhere === undefined) return undefined;
  const preview = await NestFactory.create<NestFastifyApplication>(
    options.elsewhere,
    new FastifyAdapter(),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Nest declares its options as a class
    { preview: true, abortOnError: false },
  );
  return openApiDocument(preview, options);
}

/** One document of both; a path may have operations here and elsewhere. */
function together(here: OpenAPIObject, elsewhere: OpenAPIObject | undefined): OpenAPIObject {
  if (elsewhere === undefined) return here;
  const paths = { ...elsewhere.paths };
  for (const [path, operations] of Object.entries(here.paths))
    paths[path] = { ...paths[path], ...operations };
  return {
    ...here,
    paths,
    components: {
      ...here.components,
      schemas: { ...elsewhere.components?.schemas, ...here.components?.schemas },
    },
  };
}

/** Paths by their tag, and what makes something before what reads it. */
function inOrder(document: OpenAPIObject): OpenAPIObject {
  const tags = document.tags?.map(({ name }) => name) ?? [];
  const placeOf = (path: Path): number =>
    Math.min(...operationsOf(path).map(({ tags: [tag = ''] = [] }) => tags.indexOf(tag)));
  const paths = Object.entries(document.paths).toSorted(
    ([, one], [, other]) => placeOf(one) - placeOf(other),
  );
  return {
    ...document,
    paths: Object.fromEntries(
      paths.map(([path, { put, post, ...others }]) => [
        path,
        { ...(put && { put }), ...(post && { post }), ...others },
      ]),
    ),
  };
}

function operationsOf({ get, put, post, patch, delete: remove }: Path) {
  return [get, put, post, patch, remove].filter((operation) => operation !== undefined);
}

const PROBLEM_SCHEMA: Schema = {
  type: 'object',
  description: 'RFC 9457. The members beside these depend on the type.',
  required: ['type', 'title', 'status'],
  properties: {
    type: {
      type: 'string',
      description: 'Stable: what programs decide by.',
      example: '/problems/invalid-request',
    },
    title: { type: 'string' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string' },
    instance: { type: 'string', description: 'The path of the request.' },
    outcome: {
      type: 'string',
      enum: ['not-applied', 'unknown'],
      description: 'With 5xx: whether the request may have taken effect.',
    },
    errors: {
      type: 'array',
      description: 'With invalid-request: everything that is wrong.',
      items: {
        type: 'object',
        required: ['in', 'pointer', 'detail'],
        properties: {
          in: { type: 'string', enum: ['body', 'query', 'path', 'header'] },
          pointer: { type: 'string', description: 'RFC 6901', example: '/legs/0/amount' },
          detail: { type: 'string' },
        },
      },
    },
  },
  additionalProperties: true,
};

const PROBLEM_RESPONSE = {
  description: 'A problem',
  content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: '#/components/schemas/ProblemDetails' } } },
};

const ASSETS: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

function servePage(fastify: FastifyInstance, title: string): void {
  const page = pageFor(title);
  const packages = createRequire(import.meta.url);
  fastify.get('/docs', (_request, reply) =>
    reply
      .header('content-type', 'text/html; charset=utf-8')
      .header(
        'content-security-policy',
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
      )
      .send(page),
  );
  fastify.get('/docs/start.js', (_request, reply) =>
    reply.header('content-type', 'text/javascript; charset=utf-8').send(START_SCRIPT),
  );
  for (const [name, mediaType] of Object.entries(ASSETS))
    fastify.get(`/docs/${name}`, async (_request, reply) =>
      reply
        .header('content-type', mediaType)
        .header('cache-control', 'public, max-age=86400')
        .send(await readFile(packages.resolve(`swagger-ui-dist/${name}`))),
    );
}

const START_SCRIPT = `window.onload = () => SwaggerUIBundle({ url: '/openapi.json', dom_id: '#page', deepLinking: true });\n`;

function pageFor(title: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${asHtml(title)}</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;
}
