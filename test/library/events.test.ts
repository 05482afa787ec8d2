/** `session` and `endpoint`, from threads and from this one. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { EndedSession, EndpointChange } from '../../src/index.js';
import { freePort } from '../support/ports.js';
import { eventually } from '../support/wait.js';
import { ANY, anyport, ask, collector, create, HTTP, REDIS, SSH } from './anyport.js';

const { protocols } = anyport;

describe.each([{ workers: 0 }, { workers: 2 }])('workers: $workers', ({ workers }) => {
  async function listening() {
    const plex = create({ workers });
    void plex.addProtocol(protocols.redis({ handler: 'builtin:redis' }));
    void plex.addProtocol(protocols.ssh({ target: 'close' }));
    await plex.listen(ANY);
    const sessions: EndedSession[] = [];
    const note = (session: EndedSession) => void sessions.push(session);
    let priority = 1;
    /** Messages to a worker keep their order: a change in force comes after what was asked for before. */
    const inForce = () => plex.updateProtocol('ssh', { priority: ++priority });
    return { plex, sessions, note, inForce };
  }
  const QUIT = `${REDIS}*1\r\n$4\r\nQUIT\r\n`;

  test('a session is an object at its end', async () => {
    const { plex, sessions, note, inForce } = await listening();
    plex.on('session', note);
    await inForce();
    await ask(plex, QUIT);
    await ask(plex, SSH);
    await eventually('both', () => sessions.length === 2);
    const [redis, ssh] = sessions.toSorted((a, b) => (a.reason < b.reason ? -1 : 1));
    expect(redis).toMatchObject({
      time: expect.any(Date),
      listener: ANY,
      protocol: 'redis',
      source: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      upstream: 'redis',
      openingBytes: QUIT.length,
      bytesUp: QUIT.length,
      bytesDown: '+PONG\r\n+OK\r\n'.length,
      reason: 'done',
      worker: expect.any(Number),
    });
    expect(ssh).toMatchObject({
      protocol: 'ssh',
      facts: { software: 'client' },
      by: 'proxy',
      reason: 'rejected',
      route: 'protocols.ssh',
    });
  });

  test('only while somebody listens', async () => {
    const { plex, sessions, note, inForce } = await listening();
    await ask(plex, QUIT);
    plex.on('session', note);
    await inForce();
    await ask(plex, QUIT);
    await eventually('the second one', () => sessions.length === 1);
    plex.off('session', note);
    await ask(plex, QUIT);
    await sleep(100);
    plex.removeAllListeners();
    plex.once('session', note);
    await inForce();
    await ask(plex, QUIT);
    await ask(plex, QUIT);
    await eventually('the fourth one', () => sessions.length === 2);
    await sleep(100);
    expect(sessions).toHaveLength(2);
  });

  test('one that began before somebody listened is none of them, however late it ends', async () => {
    const { plex, sessions, note, inForce } = await listening();
    const early = connect(plex.address?.port ?? 0, '127.0.0.1');
    early.write(REDIS);
    await once(early, 'data');
    plex.on('session', note);
    await inForce();
    early.end('*1\r\n$4\r\nQUIT\r\n');
    await once(early.resume(), 'close');
    await plex.removeProtocol('ssh'); // after what ended before
    await ask(plex, QUIT);
    await eventually('the later one', () => sessions.length > 0);
    await sleep(100);
    expect(sessions.map(({ bytesUp }) => bytesUp)).toEqual([QUIT.length]);
    expect(plex.metrics().endedConnections.done).toBe(2);
  });

  test('those that a close ends are told before it is done', async () => {
    const { plex, sessions, note, inForce } = await listening();
    plex.on('session', note);
    await inForce();
    await ask(plex, QUIT);
    await plex.close();
    expect(sessions).toHaveLength(1);
  });

  test('an endpoint is down once, and up once', async () => {
    const port = await freePort();
    const plex = create({ workers });
    const changes: EndpointChange[] = [];
    plex.on('endpoint', (change) => changes.push(change));
    void plex.addProtocol(protocols.http({ target: `127.0.0.1:${port}` }));
    await plex.listen(ANY);
    for (let each = 0; each < 6; each += 1) expect(await ask(plex, HTTP)).toBe('ECONNRESET');
    await eventually('down', () => changes.length > 0);
    const name = { upstream: 'http', endpoint: `127.0.0.1:${port}` };
    expect(changes).toEqual([{ ...name, state: 'down', error: 'ECONNREFUSED' }]);
    const upstream = createServer((socket) => socket.end('up')).listen(port, '127.0.0.1');
    await once(upstream, 'listening');
    for (let each = 0; each < 6; each += 1) expect(await ask(plex, HTTP)).toBe('up');
    await eventually('up', () => changes.length > 1);
    expect(changes.slice(1)).toEqual([{ ...name, state: 'up', error: null }]);
    upstream.close();
  });
});

test('events need no log, and the log no events', async () => {
  const { logger, said } = collector();
  const plex = create({ logger, logging: { accessLog: false } });
  void plex.addProtocol(protocols.ssh({ target: 'close' }));
  const sessions: EndedSession[] = [];
  await plex.listen(ANY);
  await ask(plex, SSH);
  await plex.updateConfig({ ...plex.config, logging: { accessLog: true } });
  await ask(plex, SSH);
  await eventually('a line', () => said('session').length === 1);
  await plex.updateConfig({ ...plex.config, logging: { accessLog: false } });
  plex.on('session', (session) => sessions.push(session));
  await ask(plex, SSH);
  await eventually('an event', () => sessions.length === 1);
  expect(said('session')).toHaveLength(1);
  expect(said('session')[0]).toMatchObject({ level: 'info', protocol: 'ssh', bytes_up: 0 });
});

test('an object like pino’s logger gets the lines too, and one that throws harms nobody', async () => {
  const lines: [string, string][] = [];
  const level = (name: string) => (_: object, message: string) => void lines.push([name, message]);
  const logger = {
    trace: level('trace'),
    debug: level('debug'),
    info: level('info'),
    warn: level('warn'),
    error: level('error'),
    fatal: level('fatal'),
  };
  const plex = create({ logger });
  void plex.addProtocol(protocols.ssh({ target: 'close' }));
  await plex.listen(ANY);
  await ask(plex, SSH);
  await eventually('the line', () =>
    lines.some(([name, message]) => name === 'info' && message === 'session'),
  );

  const throwing = create({
    logger: () => {
      throw new Error('no');
    },
  });
  void throwing.addProtocol(protocols.ssh({ target: 'close' }));
  await throwing.listen(ANY);
  expect(await ask(throwing, SSH)).toBe('');
});
