import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { assertPlacesFree } from './listening.js';

const [HTTP, FEED, ADMIN] = ['HOLDFAST_HTTP_PORT', 'HOLDFAST_FEED_PORT', 'HOLDFAST_ADMIN_PORT'];
const host = '127.0.0.1';

/** Few are enough. */
const LOOKS_MAX = 1_000;

/** The port of a server that listens until its test is done with it. */
async function taken() {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const free = async (): Promise<void> => {
    server.close();
    await once(server, 'close');
  };
  return { port: (server.address() as AddressInfo).port, free };
}

describe('places to listen', () => {
  it.each([host, '0.0.0.0', 'localhost'])(
    'that are one are said to be one, and none is said to be taken: %s',
    async (other) => {
      const { port, free } = await taken();
      await free();
      const places = [
        { port, host, variable: HTTP },
        { port: 0, host, variable: FEED },
        { port, host: other, variable: ADMIN },
      ];
      await expect(assertPlacesFree(...places)).rejects.toMatchObject({
        code: 'PORT_UNUSABLE',
        message: `HOLDFAST_HTTP_PORT and HOLDFAST_ADMIN_PORT are both ${port}: each listens on a port of its own`,
        details: { port, variable: HTTP, other: ADMIN },
      });
      await assertPlacesFree(places[0]!);
    },
  );

  it('are looked at while a client knocks and says something', async () => {
    const [one, other] = [await taken(), await taken()];
    await Promise.all([one.free(), other.free()]);
    let [met, looks] = [0, 0];
    const knocked = (async () => {
      while (met < 3 && looks < LOOKS_MAX)
        await new Promise<void>((done) => {
          const socket = connect(one.port, host, () => {
            met++;
            socket.write('GET');
            done();
          });
          socket.on('error', () => done());
        });
    })();
    // The name of the second place has to be looked up, and the first is held meanwhile.
    for (; met < 3 && looks < LOOKS_MAX; looks++)
      await assertPlacesFree(
        { port: one.port, host, variable: HTTP },
        { port: other.port, host: 'localhost', variable: ADMIN },
      );
    await knocked;
    expect(met).toBe(3);
  });

  it('may all be left to the system', async () => {
    await assertPlacesFree({ port: 0, host, variable: HTTP }, { port: 0, host, variable: ADMIN });
  });

  it('that another program has are said to be taken', async () => {
    const { port, free } = await taken();
    const places = [HTTP, ADMIN].map((variable) => ({ port, host, variable }));
    await expect(assertPlacesFree(...places)).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      details: { port, variable: HTTP },
    });
    await free();
  });
});
