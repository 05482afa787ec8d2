/** A protocol added and removed while sessions may come: from the call until every worker has it in force. */
import { ok } from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { quantile, type Timed } from './task.js';

type Library = typeof import('../../src/index.js');
const { createAnyport, protocols }: Library = await import(pathToFileURL(resolve('dist/index.js')).href);

const OPENING = Buffer.from('aa55bb66', 'hex');
const entryOf = (target: string) => ({ name: 'Added', startBytes: [OPENING.toString('hex')], target });

/** Whether its opening is answered: the protocol is known, and leads to the echo. */
async function isServed(port: number): Promise<boolean> {
  const client = connect(port, '127.0.0.1');
  client.on('error', () => {});
  client.write(OPENING);
  const [bytes] = (await Promise.race([once(client, 'data'), once(client, 'close')])) as [unknown];
  client.destroy();
  return Buffer.isBuffer(bytes);
}

/** Medians over `rounds`, with so many workers; 0: on this thread. */
export async function editTimes(workers: number, rounds: number): Promise<Timed[]> {
  const echo = createServer((socket) => socket.pipe(socket).on('error', () => {})).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const target = `127.0.0.1:${(echo.address() as AddressInfo).port}`;
  const plex = createAnyport({ workers });
  await plex.addProtocol(protocols.http({ target }));
  await plex.listen('127.0.0.1:0');
  const port = plex.address?.port ?? 0;
  const added: Timed[] = [];
  const removed: Timed[] = [];
  for (let round = 0; round < rounds; round += 1) {
    added.push(await timed(() => plex.addProtocol(entryOf(target))));
    ok(await isServed(port), 'the added protocol is served');
    removed.push(await timed(() => plex.removeProtocol('Added')));
    ok(!(await isServed(port)), 'the removed protocol is not served');
  }
  await plex.close();
  echo.close();
  const median = (what: string, times: readonly Timed[]) => ({
    name: `${what}, ${workers === 0 ? 'on the calling thread' : `${workers} workers`}`,
    nanoseconds: quantile(times, 0.5),
  });
  return [median('one added', added), median('one removed', removed)];
}

async function timed(change: () => Promise<unknown>): Promise<Timed> {
  const began = performance.now();
  await change();
  return { name: '', nanoseconds: (performance.now() - began) * 1e6 };
}
