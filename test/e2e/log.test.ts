/** Client data in the log is harmless to whoever reads it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { collect } from '../support/process.js';
import { dial, echo, listenTcp, type Upstream } from '../support/tcp.js';

let daemon: Daemon;
let upstream: Upstream;

beforeEach(async () => {
  upstream = await listenTcp(echo);
});

afterEach(async () => {
  await daemon.stop();
  await upstream.close();
});

describe('control characters', () => {
  test('none that a client sends reaches a terminal raw', async () => {
    daemon = await startDaemon({ protocols: [{ name: 'HTTP', target: upstream.target }] });
    const raw = collect(daemon.child.stdout as NodeJS.ReadableStream);
    const path = Array.from({ length: 0x20 }, (_, n) => String.fromCharCode(0x80 + n)).join('');
    const client = await dial(daemon.port);
    client.send(Buffer.from(`GET /${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`, 'latin1'));
    await client.bytes(1);
    client.reset();
    const session = await daemon.sessionOf(client);
    expect(session.facts.path).toBe(`/${path}`);
    expect([...raw()].filter((character) => character >= '\u007f' && character <= '\u009f')).toEqual([]);
  });
});
