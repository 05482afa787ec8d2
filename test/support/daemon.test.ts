/** What the tests know of a daemon. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { startDaemon } from './daemon.js';
import { freePort } from './ports.js';
import { echo, listenTcp, Peer } from './tcp.js';

test('a client whose address another one had before is given its own session', async () => {
  const server = await listenTcp(echo);
  const daemon = await startDaemon({ protocols: [{ name: 'Redis', target: server.target }] });
  try {
    const localPort = await freePort();
    const say = async (opening: string) => {
      const since = Date.now();
      const socket = connect({ port: daemon.port, host: '127.0.0.1', localPort });
      await once(socket, 'connect');
      const client = new Peer(socket, since).send(opening);
      await client.bytes(opening.length);
      // Otherwise the address would rest for a minute.
      client.reset();
      return client;
    };
    await say('PING\r\n');
    await daemon.ended(1);
    const second = await say('PING\r\nPING\r\n');
    await daemon.ended(2);
    expect((await daemon.sessionOf(second)).bytes_up).toBe(12);
  } finally {
    await daemon.stop();
    await server.close();
  }
});
