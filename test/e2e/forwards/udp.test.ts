/** Forwards of datagrams: each client is a flow, which is a session like any other. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { startDaemon, startWithFlags } from '../../support/daemon.js';
import { datagramClient, echoDatagrams, listenUdp, namedEcho } from '../../support/datagrams.js';
import { freePort, freePorts } from '../../support/ports.js';
import { dial, echo, listenTcp } from '../../support/tcp.js';

const host = '127.0.0.1';

const asked = async (port: number, text = 'x'): Promise<string> => {
  const client = await datagramClient(port);
  const answer = await client.ask(text);
  await client.close();
  return answer.bytes.toString();
};

/** A server of both on one port. */
async function serverOfBoth() {
  const streams = await listenTcp(echo);
  const datagrams = await listenUdp(namedEcho('udp'), host, streams.port);
  return {
    target: streams.target,
    close: () => Promise.all([streams.close(), datagrams.close()]),
  };
}

async function carriesBoth(port: number): Promise<void> {
  const stream = (await dial(port)).send('hello');
  expect((await stream.bytes(5)).toString()).toBe('hello');
  stream.reset();
  expect(await asked(port, 'hello')).toBe('udp:hello');
}

test('--forward carries both, under one name', async () => {
  const server = await serverOfBoth();
  const port = await freePort();
  const listen = `${host}:${port}`;
  const daemon = await startWithFlags(['--forward', `${listen}/tcp+udp=${server.target}`], port);
  await carriesBoth(port);
  const [line] = await daemon.ended(1);
  expect(line).toMatchObject({ listener: listen, upstream: listen, protocol: null });
  daemon.signal('SIGKILL'); // a drain would wait for the flow to be idle
  await daemon.stop();
  await server.close();
});

test('the example carries both', async () => {
  const server = await serverOfBoth();
  const port = await freePort();
  const example = parse(
    readFileSync('examples/turn.yaml', 'utf8')
      .replaceAll('7878', `"${host}:${port}"`)
      .replaceAll('127.0.0.1:3478', server.target),
  );
  const daemon = await startDaemon({ ...example });
  await carriesBoth(port);
  await daemon.stop();
  await server.close();
});

test('one port may go to one place over TCP and to another over UDP', async () => {
  const streams = await listenTcp((peer) => peer.send('tcp'));
  const datagrams = await listenUdp(namedEcho('there'));
  const listen = `${host}:${await freePort()}`;
  const port = Number(listen.split(':')[1]);
  const daemon = await startDaemon({
    forwards: [
      { listen, target: streams.target },
      { listen, scheme: 'udp', target: datagrams.target },
    ],
  });
  expect((await (await dial(port)).bytes(3)).toString()).toBe('tcp');
  expect(await asked(port)).toBe('there:x');
  await daemon.metricBecomes('anyport_accepted_total', 1, { listener: listen });
  await daemon.metricBecomes('anyport_accepted_total', 1, { listener: `${listen}/udp` });
  await daemon.stop();
  await Promise.all([streams.close(), datagrams.close()]);
});

test('a range keeps its ports', async () => {
  const first = await freePorts(4);
  const servers = await Promise.all(
    [0, 1, 2, 3].map((at) => listenUdp(namedEcho(`server ${at}`), '127.0.0.2', first + at)),
  );
  const daemon = await startDaemon({
    server: { workers: 2 },
    forwards: [{ name: 'rtp', listen: `${host}:${first}-${first + 3}`, scheme: 'udp', target: '127.0.0.2' }],
  });
  for (const at of [0, 1, 2, 3]) expect(await asked(first + at)).toBe(`server ${at}:x`);
  for (const at of [0, 1, 2, 3])
    await daemon.metricBecomes('anyport_accepted_total', 1, { listener: `rtp:${first + at}` });
  await daemon.stop();
  await Promise.all(servers.map((server) => server.close()));
});

test('clients are balanced over several endpoints, and each keeps its own', async () => {
  const servers = await Promise.all(['a', 'b'].map((name) => listenUdp(namedEcho(name))));
  const port = await freePort();
  const daemon = await startDaemon({
    forwards: [
      {
        name: 'pair',
        listen: `${host}:${port}`,
        scheme: 'udp',
        target: { endpoints: servers.map(({ target }) => target), balance: 'round_robin' },
      },
    ],
  });
  const clients = await Promise.all(Array.from({ length: 10 }, () => datagramClient(port)));
  const heard = [];
  for (const client of clients) {
    const answers = [];
    for (const n of [0, 1, 2]) answers.push((await client.ask(String(n))).bytes.toString());
    const name = answers[0]?.slice(0, 1) ?? '';
    expect(answers).toEqual([0, 1, 2].map((n) => `${name}:${n}`));
    heard.push(name);
  }
  expect(heard.filter((name) => name === 'a')).toHaveLength(5);
  for (const { senders } of servers) expect(senders).toHaveLength(5);
  await daemon.stop();
  await Promise.all([...clients, ...servers].map((each) => each.close()));
});

test('one that has closed its port is passed over', async () => {
  const [gone, there] = await Promise.all(['gone', 'there'].map((name) => listenUdp(namedEcho(name))));
  const port = await freePort();
  const daemon = await startDaemon({
    forwards: [
      {
        name: 'pair',
        listen: `${host}:${port}`,
        scheme: 'udp',
        target: [gone?.target, { address: there?.target, backup: true }],
      },
    ],
  });
  const client = await datagramClient(port);
  expect((await client.ask('1')).bytes.toString()).toBe('gone:1');
  await gone?.close();
  expect((await client.ask('2', { again: true })).bytes.toString()).toBe('there:2');
  await daemon.stop();
  await Promise.all([client.close(), there?.close()]);
});

test('what nobody answers ends when it has been idle', async () => {
  const silent = await listenUdp();
  const port = await freePort();
  const daemon = await startDaemon({
    forwards: [
      {
        name: 'quiet',
        listen: `${host}:${port}`,
        scheme: 'udp',
        target: { endpoints: [silent.target], udp: { idle_timeout: '1s' } },
      },
    ],
  });
  const clients = await Promise.all(Array.from({ length: 20 }, () => datagramClient(port)));
  for (const client of clients) await client.send('anybody?');
  await silent.peer.datagram(19);
  const lines = await daemon.ended(20);
  for (const line of lines)
    expect(line).toMatchObject({
      listener: 'quiet',
      protocol: null,
      reason: 'idle_timeout',
      bytes_up: 8,
      bytes_down: 0,
    });
  await daemon.metricBecomes('anyport_udp_flows', 0, { listener: 'quiet' });
  await daemon.booksBalance();
  await daemon.stop();
  await Promise.all([...clients, silent].map((each) => each.close()));
});

test('a reload to another target moves the flows', async () => {
  const [before, after] = await Promise.all(['before', 'after'].map((name) => listenUdp(namedEcho(name))));
  const listen = `${host}:${await freePort()}`;
  const to = (target = '') => ({ forwards: [{ name: 'it', listen, scheme: 'udp', target }] });
  const daemon = await startDaemon(to(before?.target));
  const client = await datagramClient(Number(listen.split(':')[1]));
  expect((await client.ask('1')).bytes.toString()).toBe('before:1');
  expect((await daemon.reload(to(after?.target))).msg).toBe('reloaded');
  expect((await client.ask('2')).bytes.toString()).toBe('after:2');
  await daemon.stop();
  await Promise.all([client, before, after].map((each) => each?.close()));
});

test('who may come is asked of flows, too', async () => {
  const server = await listenUdp(echoDatagrams);
  const port = await freePort();
  const daemon = await startDaemon({
    forwards: [
      {
        name: 'few',
        listen: `${host}:${port}`,
        scheme: 'udp',
        target: server.target,
        ip_blacklist: ['127.0.0.2'],
      },
    ],
  });
  const refused = await datagramClient(port, { from: '127.0.0.2' });
  await refused.send('let me in');
  await daemon.metricBecomes('anyport_refused_total', 1, { listener: 'few', reason: 'denied' });
  expect(await asked(port)).toBe('x');
  expect(server.senders).toHaveLength(1);
  await daemon.stop();
  await Promise.all([refused.close(), server.close()]);
});
