import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import { IsString, MaxLength } from 'class-validator';
import { type Served, serve } from '../testing/served.js';
import type { HttpApplicationOptions } from './http-application.js';
import { LargeBody, ORDINARY_BODY_BYTES_MAX } from './bodies-in-flight.js';

class TextDto {
  @IsString()
  @MaxLength(10_000_000)
  text!: string;
}

/** Answers `/held` when a test says so. */
let answerHeld: (answer: object) => void = () => undefined;
/** Told when `/long-answer` has its body. */
let longAsked: (asked: boolean) => void = () => undefined;

@Controller()
class TextsController {
  @Get('held')
  held() {
    return new Promise<object>((resolve) => (answerHeld = resolve));
  }

  @Post('ordinary')
  ordinary(@Body() { text }: TextDto) {
    return { length: text.length };
  }

  @Post('long-answer')
  @LargeBody()
  longAnswer() {
    longAsked(true);
    return { text: 'x'.repeat(32 * MEBIBYTE) };
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

const start = async (limits: Omit<HttpApplicationOptions, 'logger'> = {}) => {
  served = await serve(TextsModule, {
    bodyBytesMax: 2 * MEBIBYTE,
    bodiesBytesMax: 3 * MEBIBYTE,
    ...limits,
  });
};
beforeEach(() => start());
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

/** Behind a request whose answer is held up: of the answer to these, nothing is sent meanwhile. */
function behindHeld(head: string, sent: string): Socket {
  const socket = connect(Number(new URL(served.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  sockets.push(socket);
  socket.write(`GET /held HTTP/1.1\r\nhost: x\r\n\r\n${head}\r\nhost: x\r\n\r\n${sent}`);
  return socket;
}

/** However it ends: `once` of Node rejects when it is reset. */
const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));

const text = (bytes: number) =>
  `POST /large HTTP/1.1\r\ncontent-type: text/plain\r\ncontent-length: ${bytes}`;
const json = (bytes: number) => text(bytes).replace('text/plain', 'application/json');

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

  it('is refused while so many are under way, and taken when they have gone', async () => {
    await served.application.stop(0);
    await start({ uploadsMax: 3 });
    for (let upload = 0; upload < 3; upload++) begin(10);
    let refused = await post('ordinary', 100);
    while (refused.status === 201) refused = await post('ordinary', 100);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(refused.headers.get('connection')).toBe('close');
    expect(refused.body).toMatchObject({ type: '/problems/too-many-uploads' });
    expect((await fetch(`${served.url}/health/live`)).status).toBe(200);
    sockets.shift()!.destroy();
    let taken = await post('ordinary', 100);
    while (taken.status === 503) taken = await post('ordinary', 100);
    for (let upload = 0; upload < 5; upload++)
      expect((await post('ordinary', 100)).status).toBe(201);
  });

  it('is not waited for when nothing comes of it any more, but is while it comes slowly', async () => {
    await served.application.stop(0);
    await start({ uploadsMax: 2, uploadIdleMillisMax: 60 });
    const [idle, slow] = [begin(10), begin(10)];
    const dripping = setInterval(() => slow.write('x'), 5);
    const [answer] = (await once(idle, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(
      /^HTTP\/1.1 408 [^]*connection: close[^]*the rest of the body did not come/,
    );
    await once(idle, 'close');
    expect(slow.bytesRead).toBe(0);
    clearInterval(dripping);
    expect(String(await once(slow, 'data'))).toMatch(/^HTTP\/1.1 408 /);
    expect((await post('ordinary', 100)).status).toBe(201);
  });

  it('is not waited for without an end, however steadily it comes', async () => {
    await served.application.stop(0);
    await start({ uploadsMax: 1, requestMillisMax: 100 });
    const slow = begin(10);
    const dripping = setInterval(() => slow.write('x'), 5);
    slow.once('close', () => clearInterval(dripping));
    const [answer] = (await once(slow, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 408 [^]*connection: close/);
    await closed(slow);
    let taken = await post('ordinary', 100);
    while (taken.status === 503) taken = await post('ordinary', 100);
    expect(taken.status).toBe(201);
  });

  it('counts until its request is answered, and no longer', async () => {
    for (let upload = 0; upload < 6; upload++)
      expect((await post('large', 2 * MEBIBYTE)).status).toBe(201);
  });

  it('counts no longer when its answer is not read in time', async () => {
    await served.application.stop(0);
    await start({ requestMillisMax: 1_000 });
    const body = JSON.stringify({ text: 'x'.repeat(2 * MEBIBYTE - 20) });
    const socket = connect(Number(new URL(served.url).port), '127.0.0.1');
    socket.on('error', () => undefined).pause();
    sockets.push(socket);
    socket.write(
      `${json(body.length).replace('/large', '/long-answer')}\r\nhost: x\r\n\r\n${body}`,
    );
    await new Promise((resolve) => (longAsked = resolve));
    // For as long as it counts, there is no room for another; one that is slow is given up itself.
    const status = () => post('large', 2 * MEBIBYTE).then((answer) => answer.status);
    let last: number | undefined;
    while (last !== 201) last = await status().catch(() => undefined);
    expect(last).toBe(201);
  });

  it.each([
    ['of a media type that is not taken', text(5)],
    ['that is too large', json(2 * MEBIBYTE + 1)],
    ['of a path that nothing is at', 'POST /nowhere HTTP/1.1\r\ncontent-length: 5'],
  ])(
    'ends its connection and nothing else when it does not come and nobody reads it: one %s',
    async (_kind, head) => {
      await served.application.stop(0);
      await start({ uploadsMax: 1, uploadIdleMillisMax: 20 });
      await closed(behindHeld(head, ''));
      expect((await post('ordinary', 100)).status).toBe(201);
    },
  );

  it.each([
    ['is answered', '/nowhere', 404],
    ['waits for its answer', '/held', 408],
  ])(
    'ends its connection when it does not come with a GET that %s',
    async (_state, path, status) => {
      await served.application.stop(0);
      await start({ uploadsMax: 1, uploadIdleMillisMax: 20 });
      const get = `GET ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n`;
      const socket = connect(Number(new URL(served.url).port), '127.0.0.1', () =>
        socket.write(get),
      );
      sockets.push(socket);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      if (status === 408) await closed(socket);
      answerHeld({ late: true });
      let taken = await post('ordinary', 100);
      while (taken.status === 503) taken = await post('ordinary', 100);
      expect(taken.status).toBe(201);
    },
  );

  it('gives its bytes back when there are too many of them and nobody reads it', async () => {
    const socket = behindHeld(text(2 * MEBIBYTE), 'x'.repeat(MEBIBYTE + 512 * 1024));
    const second = behindHeld(text(2 * MEBIBYTE), 'x'.repeat(2 * MEBIBYTE - 1));
    await Promise.race([closed(socket), closed(second)]);
    for (const each of sockets.splice(0)) each.destroy();
    let taken = await post('large', 2 * MEBIBYTE);
    while (taken.status === 503) taken = await post('large', 2 * MEBIBYTE);
    expect(taken.status).toBe(201);
  });
});
