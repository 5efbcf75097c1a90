import { once } from 'node:events';
import { createServer } from 'node:net';

/*
 * Below the range from which the system takes ports for outgoing connections, and each test process from a range of its own: a
 * port must stay free while the service that had it is dead, or it could not come back where it was.
 */
const FIRST_PORT = 20_000;
const PORTS_OF_A_PROCESS = 1_500;
const PROCESSES_MAX = 8;

const range = Number(process.env['JEST_WORKER_ID'] ?? 1) % PROCESSES_MAX;
let next = Math.floor(Math.random() * PORTS_OF_A_PROCESS);

/** Ports of 127.0.0.1 that nobody listens on, each given once until the range begins again. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = FIRST_PORT + range * PORTS_OF_A_PROCESS + (next++ % PORTS_OF_A_PROCESS);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
    await once(server.close(), 'close');
    return true;
  } catch {
    return false;
  }
}
