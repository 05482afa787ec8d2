/** Flows in a program of one's own: closures serve them, and events tell of them. */
import { expect, test } from 'vitest';
import type { HandlerSession } from '../../src/index.js';
import { datagramClient } from '../support/datagrams.js';
import { freePort } from '../support/ports.js';
import { eventually } from '../support/wait.js';
import { anyport, create } from './anyport.js';

test('a closure serves the datagrams of a custom protocol, with its session', async () => {
  const seen: HandlerSession[] = [];
  const port = await freePort();
  const plex = create({
    listeners: [{ name: 'any', address: `127.0.0.1:${port}`, transport: 'udp' }],
    protocols: [
      {
        name: 'Mine',
        transport: 'udp',
        startBytes: '6d',
        validate: (bytes) => (bytes.length > 1 ? 'match' : 'more'),
        handler: anyport.datagramHandler((socket, session) => {
          seen.push(session);
          socket.on('message', (bytes) => {
            socket.send(`heard ${bytes}`);
            if (String(bytes) === 'm bye') socket.close();
          });
        }),
      },
    ],
  });
  const ended: (string | null)[] = [];
  plex.on('session', ({ protocol, reason }) => ended.push(protocol && `${protocol} ${reason}`));
  await plex.listen();
  const client = await datagramClient(port);
  try {
    expect((await client.ask('m hello')).bytes.toString()).toBe('heard m hello');
    expect((await client.ask('m bye')).bytes.toString()).toBe('heard m bye');
    await client.send('m');
    await eventually('both sessions to end', () => ended.length === 2);
    expect(ended).toEqual(['mine done', null]);
    expect(seen).toMatchObject([
      { transport: 'udp', protocol: 'mine', listener: 'any', source: client.address },
    ]);
  } finally {
    await client.close();
  }
});
