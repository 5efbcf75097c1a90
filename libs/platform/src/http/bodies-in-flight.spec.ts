import { type Socket, connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Body, Controller, Module, Post } from '@nestjs/common';
import { IsString, MaxLength } from 'class-validator';
import { type Served, serve } from '../testing/served.js';
import { LargeBody, ORDINARY_BODY_BYTES_MAX } from './bodies-in-flight.js';

class TextDto {
  @IsString()
  @MaxLength(10_000_000)
  text!: string;
}

@Controller()
class TextsController {
  @Post('ordinary')
  ordinary(@Body() { text }: TextDto) {
    return { length: text.length };
  }

  @Post('large')
  @LargeBody()
  large(@Body() { text }: TextDto) {
    return { length: text.length };
  }
}

@Module({ controllers: [TextsController] })
class TextsModule {}

const MEBIBYTE = 1024 * 1024;
let served: Served;
const sockets: Socket[] = [];

beforeEach(async () => {
  served = await serve(TextsModule, { bodyBytesMax: 2 * MEBIBYTE, bodiesBytesMax: 3 * MEBIBYTE });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await served.application.stop(0);
});

async function post(path: string, bytes: number) {
  const response = await fetch(`${served.url}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: 'x'.repeat(bytes - '{"text":""}'.length) }),
  });
  const { status, headers } = response;
  return { status, headers, body: (await response.json()) as Record<string, unknown> };
}

/** Sends the beginning of a body of 2 MiB, and no more. */
function begin(bytes: number): Socket {
  const socket = connect(Number(new URL(served.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  sockets.push(socket);
  socket.write(
    `POST /large HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${2 * MEBIBYTE}\r\n\r\n${'x'.repeat(bytes)}`,
  );
  return socket;
}

describe('the body of a request', () => {
  it('is limited by its route', async () => {
    expect((await post('ordinary', ORDINARY_BODY_BYTES_MAX)).status).toBe(201);
    expect((await post('ordinary', ORDINARY_BODY_BYTES_MAX + 1)).status).toBe(413);
    expect((await post('large', 2 * MEBIBYTE)).status).toBe(201);
    expect((await post('large', 2 * MEBIBYTE + 1)).status).toBe(413);
  });

  it('is refused while uploads that are not finished hold what there is, and taken when they have gone', async () => {
    for (let upload = 0; upload < 2; upload++) begin(MEBIBYTE + 512 * 1024 - 10_000);
    let refused = await post('large', 100_000);
    while (refused.status === 201) refused = await post('large', 100_000);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(refused.headers.get('connection')).toBe('close');
    expect(refused.body).toMatchObject({
      type: '/problems/too-many-uploads',
      outcome: 'not-applied',
    });
    for (const socket of sockets.splice(0)) socket.destroy();
    let taken = await post('large', 100_000);
    while (taken.status === 503) taken = await post('large', 100_000);
    expect(taken.status).toBe(201);
  });

  it('counts until its request is answered, and no longer', async () => {
    for (let upload = 0; upload < 6; upload++)
      expect((await post('large', 2 * MEBIBYTE)).status).toBe(201);
  });
});
