/** Handshakes of links between two workers whose engines are stood in for: what each is told, and what the log says. */
import { Writable } from 'node:stream';
import { expect, test, vi } from 'vitest';
import type { KcpEvent, KcpLink, KcpStats } from '../../src/addon/kcp.js';
import { createLogger } from '../../src/base/log.js';
import { refusalLimits } from '../../src/kcp/refusals.js';
import type { KcpProfile } from '../../src/model/kcp.js';
import { Links, type LinksParts, linkLogLimits } from '../../src/worker/links.js';
import { noiseProfile, pskText, serverKeys } from '../kcp/profiles.js';

const PROFILE = 7;
const LINK = 41;
const HANDLE = 42;
const token = new Uint8Array(16).fill(0xc3);
const client = { host: '192.0.2.7', port: 40_001 };
const server = { host: '203.0.113.9', port: 4000 };

const stats: KcpStats = {
  rttMs: 40.26,
  rttVarMs: 3,
  lossRate: 0.05,
  idleMs: 10,
  streams: 2,
  inFlight: 3,
  keys: 0,
  moves: 1,
  segmentsSent: 100,
  segmentsReceived: 90,
  retransmits: 5,
  recovered: 4,
  bytesSent: 1000,
  bytesReceived: 900,
  datagramsSent: 110,
  datagramsReceived: 95,
  wireBytesSent: 1500,
  wireBytesReceived: 1400,
};

const row = (link: number, profile = PROFILE): KcpLink => ({
  ...stats,
  link,
  profile,
  listener: 3,
  isClient: false,
  remote: client,
  state: 'up',
  ageMs: link,
  mtu: 1350,
  sendWindow: 1024,
  receiveWindow: 1024,
  peerWindow: 512,
});

type Call = readonly [method: string, ...args: unknown[]];

/** A worker's links, the calls to its engine, and its log. */
function startLinks(profile: KcpProfile | undefined, rows: readonly KcpLink[] = []) {
  const calls: Call[] = [];
  const lines: Record<string, unknown>[] = [];
  const answers =
    (method: string) =>
    (...args: unknown[]) => {
      calls.push([method, ...args]);
      return true;
    };
  const engine = {
    kcpAccept: answers('accept'),
    kcpRefuse: answers('refuse'),
    kcpSend: answers('send'),
    kcpEstablish: answers('establish'),
    kcpFail: answers('fail'),
    kcpLinks: () => [...rows],
  } as LinksParts['engine'];
  const log = new Writable({
    write(chunk, _, done) {
      lines.push(JSON.parse(String(chunk)) as Record<string, unknown>);
      done();
    },
  });
  const links = new Links({
    worker: 5,
    engine,
    logger: createLogger({ level: 'info', write: (line) => log.write(line) }),
    profileOf: (id) => (id === PROFILE ? profile : undefined),
    listenerOf: (id) => (id === 3 ? 'far' : undefined),
    isOpen: () => true,
  });
  const last = (method: string) => calls.findLast(([name]) => name === method);
  return { links, calls, lines, last };
}

const about = (isClient: boolean) => ({ profile: PROFILE, isClient, from: isClient ? server : client });
const hello = (bytes: Uint8Array, from = client): KcpEvent => ({
  ...about(false),
  from,
  kind: 'hello',
  handle: HANDLE,
  bytes,
  token,
});
const begin: KcpEvent = { ...about(true), kind: 'begin', link: LINK };
const answer = (bytes: Uint8Array): KcpEvent => ({ ...about(true), kind: 'answer', link: LINK, bytes });
const up = (isClient: boolean): KcpEvent => ({
  ...about(isClient),
  kind: 'up',
  link: isClient ? LINK : HANDLE,
});
const down = (reason: string): KcpEvent => ({ ...about(true), kind: 'down', link: LINK, reason, stats });

function helloOf(profile: KcpProfile): Uint8Array {
  const { links, last } = startLinks(profile);
  links.on(begin);
  return last('send')?.[2] as Uint8Array;
}

test('two workers come to the same keys', () => {
  const there = startLinks(noiseProfile(serverKeys));
  const here = startLinks(noiseProfile({ serverKey: serverKeys.serverKey }));
  here.links.on(begin);
  there.links.on(hello(here.last('send')?.[2] as Uint8Array));
  const [, handle, accepted] = there.last('accept') as [string, number, Record<string, Uint8Array>];
  expect(handle).toBe(HANDLE);
  here.links.on(answer(accepted.answer as Uint8Array));
  const [, link, established] = here.last('establish') as [string, number, Record<string, unknown>];
  expect(link).toBe(LINK);
  expect([established.send, established.receive]).toEqual([accepted.receive, accepted.send]);
  expect(Buffer.from(established.reset as Uint8Array)).toEqual(Buffer.from(token));
  expect(established).toMatchObject({ cipher: 1, peer: { mtu: 1350, receiveWindow: 512 } });
  expect((accepted.peer as unknown as { conv: number }).conv).toBe(
    (established.peer as { conv: number }).conv,
  );
  here.links.on(up(true));
  there.links.on(up(false));
  const [ours, theirs] = [here.lines[0], there.lines[0]];
  expect(ours).toMatchObject({
    msg: 'kcp link up',
    profile: 'link',
    side: 'client',
    remote: '203.0.113.9:4000',
  });
  expect(theirs).toMatchObject({ side: 'server', remote: '192.0.2.7:40001', session: ours?.session });
});

test('an answer that is not genuine is passed over, and the next one counts', () => {
  const profile = noiseProfile();
  const [here, there] = [startLinks(profile), startLinks(profile)];
  here.links.on(begin);
  there.links.on(hello(here.last('send')?.[2] as Uint8Array));
  const [, , { answer: genuine }] = there.last('accept') as [string, number, { answer: Buffer }];
  here.links.on(answer(Buffer.alloc(genuine.length)));
  expect(here.calls.at(-1)).toEqual(['fail', LINK]);
  here.links.on(answer(genuine));
  expect(here.calls.at(-1)?.[0]).toBe('establish');
  here.links.on(answer(genuine)); // a repetition
  expect(here.calls.at(-1)).toEqual(['fail', LINK]);
});

test('a wrong secret is refused in silence, and told of once a source', () => {
  const { links, calls, lines } = startLinks(noiseProfile());
  const wrong = helloOf(noiseProfile({ psk: pskText('another secret') }));
  for (let round = 0; round < 3; round += 1) links.on(hello(wrong));
  expect(calls).toEqual(Array(3).fill(['refuse', HANDLE]));
  expect(lines).toEqual([
    expect.objectContaining({
      level: 'warn',
      msg: 'kcp: client refused',
      profile: 'link',
      source: '192.0.2.7',
      refusal: 'secret',
      why: expect.stringContaining('its secret is another one'),
    }),
  ]);
  expect(JSON.stringify(lines)).not.toMatch(/another secret|correct horse/);
});

test('refusals of many sources are a bounded number of lines', () => {
  const { links, lines } = startLinks(noiseProfile());
  const wrong = helloOf(noiseProfile({ psk: pskText('another secret') }));
  const sources = refusalLimits.sourcesMax / 8;
  for (let source = 0; source < sources; source += 1)
    links.on(hello(wrong, { host: `198.51.100.${source}`, port: 1 }));
  const seconds = 1 + Math.ceil(sources / 50); // a slow machine
  expect(lines.length).toBeLessThanOrEqual(linkLogLimits.linesPerSecond * seconds);
  expect(lines.length).toBeGreaterThanOrEqual(Math.min(sources, linkLogLimits.linesPerSecond));
});

test('without its profile nothing is begun, and whoever asks is refused', () => {
  const { links, calls } = startLinks(undefined);
  links.on(begin);
  links.on(hello(helloOf(noiseProfile())));
  links.on(down('timeout'));
  expect(calls).toEqual([['refuse', HANDLE]]);
});

test.each([
  { reason: 'idle', level: 'info' },
  { reason: 'dead', level: 'warn' },
  { reason: 'timeout', level: 'warn' },
])('a link that goes down says why: $reason', ({ reason, level }) => {
  const { links, lines } = startLinks(noiseProfile());
  links.on(down(reason));
  expect(lines).toEqual([
    expect.objectContaining({
      level,
      msg: 'kcp link down',
      reason,
      remote: '203.0.113.9:4000',
      rtt_ms: 40.26,
      loss: 0.05,
      retransmits: 5,
      recovered: 4,
    }),
  ]);
});

test('links are listed, the newest first, with the names of their profile and listener', () => {
  const rows = [row(30), row(10), row(20, 99)];
  const { links } = startLinks(noiseProfile(), rows);
  const { links: listed, total } = links.list(2);
  expect(total).toBe(3);
  expect(listed.map(({ id }) => id)).toEqual(['5-10', '5-20']);
  expect(listed[0]).toMatchObject({
    profile: 'link',
    wire: 'anyport',
    side: 'server',
    listener: 'far',
    remote: '192.0.2.7:40001',
    state: 'up',
    session: null,
    rttMs: 40.26,
    window: 512,
    keyChanges: 0,
    moves: 1,
  });
});

test('status_log writes a line a link while there are any', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    const rows = [row(1), row(2), { ...row(3), state: 'closing' as const }];
    const { links, lines } = startLinks({ ...noiseProfile(), statusLogMs: 5000 }, rows);
    const reports = () => lines.filter(({ msg }) => msg === 'kcp link');
    vi.advanceTimersByTime(20_000);
    expect(reports()).toEqual([]);
    links.on(up(false));
    links.on(up(false));
    vi.advanceTimersByTime(5000);
    expect(reports()).toHaveLength(2);
    expect(reports()[0]).toMatchObject({
      profile: 'link',
      side: 'server',
      streams: 2,
      window: 512,
      rtt_ms: 40.26,
    });
    vi.advanceTimersByTime(5000);
    expect(reports()).toHaveLength(4);
    rows.length = 0;
    vi.advanceTimersByTime(5000);
    expect(vi.getTimerCount()).toBe(0);
    links.close();
  } finally {
    vi.useRealTimers();
  }
});
