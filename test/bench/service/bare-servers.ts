/**
 * `bare-servers.js nest|fastify|pipeline <directory>`: what the service is compared with, as a process of its own. Sends its address to its parent.
 *
 * - `nest`: the route of a transfer, with class-validator as Nest has it, that answers without writing.
 * - `fastify`: the same route without Nest and without validation.
 * - `pipeline`: the work of a bulk without a framework: parse, a SHA-256 for each command, two balances, one JSON event, one checksum, write, fdatasync, answer.
 */
import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { fdatasync as fdatasyncCallback, openSync, writeSync } from 'node:fs';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { assert } from '@holdfast/kernel';
import { Body, Controller, Headers, Module, Param, Post, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsOptional,
  IsString,
  Matches,
  ValidateNested,
} from 'class-validator';
import { fastify } from 'fastify';

const ROUTE = '/v1/ledgers/:ledger/transfers';
const fdatasync = promisify(fdatasyncCallback);

class LegDto {
  @IsString()
  @Matches(/^[A-Za-z0-9_.:-]{1,128}$/)
  accountId!: string;

  @IsIn(['debit', 'credit'])
  side!: string;

  @IsString()
  @Matches(/^[1-9][0-9]{0,37}$/)
  amount!: string;
}

class TransferDto {
  @IsArray()
  @ArrayMinSize(2)
  @ArrayMaxSize(64)
  @ValidateNested({ each: true })
  @Type(() => LegDto)
  legs!: LegDto[];

  @IsOptional()
  @IsString()
  reference?: string;
}

class TargetDto {
  @IsString()
  @Matches(/^[a-z0-9-]{1,64}$/)
  ledger!: string;
}

@Controller(ROUTE)
class TransferController {
  @Post()
  post(
    @Param() { ledger }: TargetDto,
    @Headers('idempotency-key') key: string,
    @Body() { legs }: TransferDto,
  ) {
    return answerTo(ledger, key, legs);
  }
}

@Module({ controllers: [TransferController] })
class TransferModule {}

function answerTo(ledger: string, id: string, legs: unknown) {
  return { id, ledger, legs, recordedAt: new Date().toISOString() };
}

async function nest(): Promise<string> {
  const application = await NestFactory.create<NestFastifyApplication>(
    TransferModule,
    new FastifyAdapter(),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Nest declares its options as a class
    { logger: false },
  );
  application.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true }));
  await application.listen(0, '127.0.0.1');
  return application.getUrl();
}

async function bareFastify(): Promise<string> {
  const server = fastify();
  server.post<{ Params: { ledger: string }; Body: { legs: unknown } }>(
    ROUTE,
    ({ params, headers, body }, reply) => {
      void reply.code(201);
      return answerTo(params.ledger, String(headers['idempotency-key']), body.legs);
    },
  );
  return server.listen({ port: 0, host: '127.0.0.1' });
}

interface Bulk {
  readonly commands: readonly {
    readonly idempotencyKey: string;
    readonly body: {
      readonly legs: readonly { accountId: string; side: 'debit' | 'credit'; amount: string }[];
    };
  }[];
}

async function pipeline(directory: string): Promise<string> {
  const log = openSync(join(directory, 'pipeline.log'), 'a');
  const balances = new Map<string, bigint>();
  let position = 0;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { commands } = JSON.parse(Buffer.concat(parts).toString()) as Bulk;
    const lines: string[] = [];
    const results: object[] = [];
    for (const { idempotencyKey: key, body } of commands) {
      const hash = createHash('sha256').update(JSON.stringify(body)).digest('base64url');
      for (const { accountId, side, amount } of body.legs) {
        const signed = side === 'debit' ? BigInt(amount) : -BigInt(amount);
        balances.set(accountId, (balances.get(accountId) ?? 0n) + signed);
      }
      const recordedAt = new Date().toISOString();
      lines.push(JSON.stringify({ position: ++position, key, hash, recordedAt, legs: body.legs }));
      results.push({ status: 201, body: { id: key, recordedAt, legs: body.legs } });
    }
    const events = Buffer.from(lines.join('\n'));
    const frame = Buffer.alloc(8 + events.length);
    frame.writeUInt32LE(events.length, 0);
    frame.writeUInt32LE(crc32(events), 4);
    events.copy(frame, 8);
    writeSync(log, frame);
    await fdatasync(log);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ results }));
  }

  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const [kind, directory = ''] = process.argv.slice(2);
const servers: Readonly<Record<string, () => Promise<string>>> = {
  nest,
  fastify: bareFastify,
  pipeline: () => pipeline(directory),
};
const start = servers[kind ?? ''];
assert(start !== undefined, `one of ${Object.keys(servers).join(', ')} is asked for`);
process.on('disconnect', () => process.exit());
process.send?.({ address: await start() });
