import { afterEach, expect, test } from 'vitest';
import { type DatagramPeer, datagramClient, echoDatagrams, listenUdp, namedEcho } from './datagrams.js';

const open: { close(): Promise<void> }[] = [];
const kept = <Thing extends { close(): Promise<void> }>(thing: Thing): Thing => {
  open.push(thing);
  return thing;
};
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

const client = async (...args: Parameters<typeof datagramClient>): Promise<DatagramPeer> =>
  kept(await datagramClient(...args));

test('datagrams stay apart and in order, and say who has sent them', async () => {
  const endpoint = kept(await listenUdp(echoDatagrams));
  const one = await client(endpoint.port);
  for (const text of ['a', '', 'ccc']) await one.send(text);
  await one.datagram(2);
  expect(one.received.map(({ bytes, from }) => [bytes.toString(), from])).toEqual([
    ['a', endpoint.target],
    ['', endpoint.target],
    ['ccc', endpoint.target],
  ]);
  expect(endpoint.senders).toEqual([one.address]);
});

test('an answer is that to the last question, over IPv6 too', async () => {
  const endpoint = kept(await listenUdp(namedEcho('one'), '::1'));
  const asking = await client(endpoint.port, { host: '::1' });
  expect((await asking.ask('1')).bytes.toString()).toBe('one:1');
  expect(await asking.ask('2')).toEqual({ bytes: Buffer.from('one:2'), from: `[::1]:${endpoint.port}` });
});
