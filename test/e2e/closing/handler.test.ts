/** Closing orders of a session with a handler in place of an endpoint: each side sees what it would of a TCP server. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../../support/daemon.js';
import { queuesOf } from '../../support/proc.js';
import { dial, type Peer } from '../../support/tcp.js';
import { eventually } from '../../support/wait.js';
import { refusesBytes } from './orders.js';

let daemon: Daemon;

beforeAll(async () => {
  const handler = resolve('test/e2e/handlers/closing.mjs');
  daemon = await startDaemon({ protocols: [{ name: 'Any', start_bytes: ['61'], handler }] });
});

afterAll(() => daemon.stop());

const ask = async (asked: object): Promise<Peer> =>
  (await dial(daemon.port)).send(`a${JSON.stringify(asked)}\n`);

const moments = { before: 0, during: 150_000, after: 1000 } as const;
const endings = { fin: 'fin', close: 'fin', reset: 'reset', throw: 'reset' } as const;

const orders = Object.entries(endings).flatMap(([act, ending]) =>
  Object.entries(moments).map(([moment, bytes]) => ({ act, ending, moment, bytes })),
);

test.each(orders)('the handler: $act, $moment', async ({ act, ending, moment, bytes }) => {
  const client = await ask({ act, bytes });
  if (moment === 'during') client.socket.pause();
  else await client.bytes(bytes);
  client.send('.');
  if (moment === 'during') await sleep(200); // for the end to come while nobody reads
  client.socket.resume();
  const ended = await client.end();
  const hidden = act !== 'fin' && (await refusesBytes(client.socket));
  expect(hidden ? 'reset' : ended).toBe(ending);
  // An error says that what was under way does not count.
  if (ending === 'fin' || moment === 'after') expect(client.length).toBe(bytes);
  client.socket.destroy();
});

const byClient = [
  { act: 'fin', sees: 'fin', end: (client: Peer) => void client.finish() },
  { act: 'close', sees: 'fin', end: (client: Peer) => void client.socket.destroy() },
  { act: 'reset', sees: 'ECONNRESET', end: (client: Peer) => client.reset() },
] as const;
const clientOrders = byClient.flatMap((order) =>
  Object.entries(moments).map(([moment, bytes]) => ({ ...order, moment, bytes })),
);

test.each(clientOrders)('the client: $act, $moment', async ({ act, sees, end, moment, bytes }) => {
  const report = `${daemon.folder.path}/${act}-${moment}`;
  const client = await ask({ report });
  if (bytes > 0) client.send(Buffer.alloc(bytes, 'x'));
  await eventually('all to be written', () => client.socket.writableLength === 0);
  // A reset discards what the client's kernel has not sent.
  const own = { local: client.socket.localPort as number, remote: daemon.port };
  if (moment !== 'during') await eventually('all to be sent', () => queuesOf(own).unsent === 0);
  end(client);
  const said = await eventually('the report', () => existsSync(report) && readFileSync(report, 'utf8'));
  const [received, ending] = said.trim().split(' ');
  expect(ending).toBe(sees);
  if (act !== 'reset' || moment !== 'during') expect(Number(received)).toBe(bytes);
  if (act === 'fin') {
    await client.bytes('answer'.length);
    expect(await client.end()).toBe('fin');
  }
  client.socket.destroy();
});
