/**
 * Every datagram of the cases and every recorded flight through the daemon: it says what `identify` says. The daemon walks
 * the addon's classifier, confirms and reads facts as datagrams come; `identify` is the TypeScript oracle.
 */
import { afterEach, expect, test } from 'vitest';
import { createRandom } from '../../../src/base/random.js';
import { identifyBytes } from '../../../src/protocols/identify.js';
import { recognizersFor } from '../../../src/protocols/index.js';
import { flights } from '../../cases/flights.js';
import { datagrams } from '../../cases/index.js';
import { type Daemon, type SessionLine, startDaemon } from '../../support/daemon.js';
import { type DatagramPeer, datagramClient, listenUdp } from '../../support/datagrams.js';
import { freePort } from '../../support/ports.js';
import { eventually } from '../../support/wait.js';

const open: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

const IDENTIFY_MS = 1000;
/** Clients at once: each has a socket. */
const BATCH = 64;

/** A route asks for their names, so the hellos are awaited; those that are never whole are refused. */
const ASKED: readonly (string | null)[] = ['quic', 'dtls'];

/** Whatever is known goes to one endpoint, which says nothing; the rest ends as unknown. */
async function startAll(): Promise<{ daemon: Daemon; port: number }> {
  const [endpoint, port] = [await listenUdp(), await freePort()];
  const daemon = await startDaemon({
    server: { workers: 1, identify_timeout: `${IDENTIFY_MS}ms`, udp: { idle_timeout: '500ms' } },
    security: { enable_rate_limit: false, enable_ddos_guard: false },
    protocols: recognizersFor('udp').map(({ id }) => ({ name: id, target: endpoint.target })),
    routes: [{ when: { protocol: ASKED, sni: 'nowhere.example' }, to: 'reset' }],
    listeners: [{ name: 'any', address: `127.0.0.1:${port}`, transport: 'udp' }],
  });
  open.push(async () => {
    await daemon.stop();
    await endpoint.close();
  });
  return { daemon, port };
}

interface Sent {
  readonly why: string;
  readonly segments: readonly Uint8Array[];
}

const cases: Sent[] = Object.entries(datagrams).flatMap(([id, list]) =>
  list.map(({ why, bytes }) => ({ why: `${id}: ${why}`, segments: [bytes] })),
);
const recorded: Sent[] = flights
  .filter(({ transport, segments }) => transport === 'udp' && segments.length > 0)
  .map(({ id, segments }) => ({ why: id, segments }));

/** Cut, with changed bytes, or with another datagram behind: from a fixed seed. */
function spoiled(count: number): Sent[] {
  const random = createRandom(1);
  const whole = [...cases, ...recorded].map(({ segments }) => segments[0] as Uint8Array);
  const any = () => Buffer.from(whole[random(whole.length)] as Uint8Array);
  return Array.from({ length: count }, (_, n) => {
    const bytes = any();
    for (let changes = random(3); changes > 0 && bytes.length > 0; changes -= 1)
      bytes[random(Math.min(bytes.length, 64))] = random(256);
    const cut = random(3) === 0 ? bytes.subarray(0, random(bytes.length + 1)) : bytes;
    const segments = random(4) === 0 ? [Buffer.concat([cut, any()]).subarray(0, 1400)] : [cut];
    return { why: `spoiled ${n}`, segments };
  });
}

/** Those that a socket has been sent, and what the daemon says of each. */
async function said(
  daemon: Daemon,
  port: number,
  sent: readonly Sent[],
): Promise<readonly (readonly [Sent, SessionLine])[]> {
  const clients: DatagramPeer[] = [];
  // A client may have the port of an earlier one, whose line is there.
  const before = daemon.sessions.length;
  for (const { segments } of sent) {
    const client = await datagramClient(port);
    clients.push(client);
    for (const segment of segments) await client.send(segment);
  }
  const lines = await eventually('a line of each', () => {
    const found = new Map(daemon.sessions.slice(before).map((line) => [line.source, line]));
    const own = clients.map(({ address }) => found.get(address));
    return own.every((line) => line !== undefined) ? own : undefined;
  });
  for (const client of clients) await client.close();
  return sent.map((each, index) => [each, lines[index] as SessionLine]);
}

test.each([
  { what: 'cases', sent: cases },
  { what: 'recorded flights', sent: recorded },
  { what: 'spoiled datagrams', sent: spoiled(600) },
])('$what', async ({ sent }) => {
  const { daemon, port } = await startAll();
  for (let from = 0; from < sent.length; from += BATCH) {
    for (const [{ why, segments }, line] of await said(daemon, port, sent.slice(from, from + BATCH))) {
      // What is unknown ends with its first datagram; the next one of a flow would be another session.
      const { protocol, facts } = identifyBytes(segments, 'udp');
      expect({ protocol: line.protocol, facts: line.facts }, why).toEqual({
        protocol,
        facts: JSON.parse(JSON.stringify(facts)),
      });
      const known = ASKED.includes(protocol)
        ? ['idle_timeout', 'identify_timeout', 'rejected']
        : ['idle_timeout'];
      expect(protocol === null ? ['unknown_protocol'] : known, why).toContain(line.reason);
    }
  }
});
