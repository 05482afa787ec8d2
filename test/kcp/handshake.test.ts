/** Client and server come to the same keys, or the server says nothing and knows why. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { type Acceptance, accept, Call, identityOf, type Refusal } from '../../src/kcp/handshake.js';
import { HELLO_BYTES, readHello } from '../../src/kcp/hello.js';
import { helloLimits, RecentHellos } from '../../src/kcp/recent-hellos.js';
import { type KcpNoise, kcpCiphers } from '../../src/model/kcp.js';
import { noiseProfile, pskText, serverKeys } from './profiles.js';

const NOW = 1_800_000_000_000;
const CONV = 0x89ab_cdef;
const TOKEN = Buffer.alloc(16, 0xc3);

type Security = Partial<KcpNoise>;

const callOf = (security: Security = {}, nowMs = NOW) =>
  new Call(identityOf('client', noiseProfile(security)), CONV, nowMs);

const serverOf = (security: Security = {}) => {
  const identity = identityOf('server', noiseProfile(security));
  const recent = new RecentHellos();
  return (bytes: Buffer, nowMs = NOW) => accept({ bytes, token: TOKEN }, identity, recent, nowMs);
};

const known: Security = { serverKey: serverKeys.serverKey };
const knowing: Security = serverKeys;
const open: Security = { psk: null };

const cases = [
  { pattern: 'NNpsk0', client: {}, server: {} },
  { pattern: 'NKpsk0', client: known, server: knowing },
  { pattern: 'NN', client: open, server: open },
] as const;

function accepted(answer: Acceptance) {
  if (!answer.ok) throw new Error(`refused: ${answer.refusal}`);
  return answer;
}

const refusalOf = (answer: Acceptance): Refusal | null => (answer.ok ? null : answer.refusal);

test.each(cases)(
  '$pattern: both ends have the same keys and know the other',
  ({ pattern, client, server }) => {
    for (const cipher of kcpCiphers) {
      const call = callOf({ ...client, cipher });
      expect(call.hello).toHaveLength(HELLO_BYTES);
      expect(readHello(call.hello)).toMatchObject({ kind: 'hello', cipher, pattern });
      const { answer, agreed } = accepted(serverOf({ ...server, cipher })(call.hello));
      const own = call.answered(answer);
      expect(own).not.toBeNull();
      expect([own?.send, own?.receive]).toEqual([agreed.receive, agreed.send]);
      expect(own?.session).toBe(agreed.session);
      expect(own?.token).toEqual(TOKEN);
      expect(answer.includes(TOKEN)).toBe(false);
      expect(agreed.session).toMatch(/^[0-9a-f]{32}$/);
      const said = { conv: CONV, mtu: 1350, sendWindow: 1024, receiveWindow: 512, timeMs: NOW };
      expect(agreed.peer).toEqual({ ...said, fec: { data: 10, parity: 3 } });
      expect(own?.peer).toEqual(agreed.peer);
      expect(answer.length).toBeLessThan(HELLO_BYTES - 17);
    }
  },
);

test('every link has keys of its own, and so has every cipher', () => {
  const server = serverOf();
  const sessions = [callOf(), callOf()].map(({ hello }) => accepted(server(hello)).agreed);
  const keys = sessions.flatMap(({ send, receive }) => [send, receive].map((key) => key.toString('hex')));
  expect(new Set(keys).size).toBe(4);
  expect(sessions[0]?.session).not.toBe(sessions[1]?.session);
});

test.each([
  { why: 'another secret', client: { psk: pskText('another') }, server: {}, refusal: 'secret' },
  { why: 'a secret here, none there', client: open, server: {}, refusal: 'pattern' },
  { why: 'a secret there, none here', client: {}, server: open, refusal: 'pattern' },
  { why: 'a server key that the server does not have', client: known, server: {}, refusal: 'pattern' },
  { why: 'no server key where the server has one', client: {}, server: knowing, refusal: 'pattern' },
  {
    why: 'the key of another server',
    client: known,
    server: { privateKey: Buffer.alloc(32, 3).toString('hex') },
    refusal: 'secret',
  },
  { why: 'another cipher', client: { cipher: 'aes-128-gcm' }, server: {}, refusal: 'cipher' },
] as const)('$why: refused', ({ client, server, refusal }) => {
  expect(refusalOf(serverOf(server)(callOf(client).hello))).toBe(refusal);
});

test.each(cases)('$pattern: no byte that is bound may differ', ({ pattern, client, server }) => {
  const { hello } = callOf(client);
  const end = 28 + (pattern === 'NN' ? 52 : 68);
  const answer = serverOf(server);
  for (let at = 0; at < end; at += 1) {
    if (at >= 4 && at < 28) continue; // link id and cookie: the engine's
    const altered = Buffer.from(hello);
    altered[at] = (altered[at] as number) ^ 0x40;
    const result = answer(altered);
    // Without a secret the hello itself is not sealed, but the answer is of what was said.
    if (pattern === 'NN' && result.ok)
      expect(callOf(client).answered(result.answer), `byte ${at}`).toBeNull();
    else expect(refusalOf(result), `byte ${at}`).not.toBeNull();
  }
});

test('NN: a client does not take an answer to what it has not said', () => {
  const call = callOf(open);
  const altered = Buffer.from(call.hello);
  altered[60] = (altered[60] as number) ^ 1;
  const { answer } = accepted(serverOf(open)(altered));
  expect(call.answered(answer)).toBeNull();
});

test('a forged answer does not spoil the genuine one that follows', () => {
  const call = callOf();
  const { answer } = accepted(serverOf()(call.hello));
  for (let at = 0; at < answer.length; at += 1) {
    const forged = Buffer.from(answer);
    forged[at] = (forged[at] as number) ^ 1;
    expect(call.answered(forged), `byte ${at}`).toBeNull();
  }
  expect(call.answered(answer.subarray(1))).toBeNull();
  expect(call.answered(Buffer.alloc(0))).toBeNull();
  expect(call.answered(answer)).not.toBeNull();
});

test('whatever comes is refused without an error', () => {
  const server = serverOf();
  const { hello } = callOf();
  for (let round = 0; round < 2000; round += 1) {
    const noise = randomBytes(HELLO_BYTES);
    if (round % 2 === 0) hello.copy(noise, 0, 0, 4);
    expect(server(noise).ok).toBe(false);
  }
  for (let length = 0; length < HELLO_BYTES; length += 1)
    expect(refusalOf(server(hello.subarray(0, length)))).toBe('malformed');
  const newer = Buffer.from(hello);
  newer[1] = 3;
  expect(refusalOf(server(newer))).toBe('version');
});

test('a hello is good once', () => {
  const server = serverOf();
  const { hello } = callOf();
  expect(server(hello).ok).toBe(true);
  const again = Buffer.from(hello);
  again.fill(7, 4, 28); // from another address, with a cookie of its own
  expect(refusalOf(server(again))).toBe('repeated');
  expect(refusalOf(server(again, NOW + helloLimits.ageMsMax))).toBe('repeated');
  expect(refusalOf(server(again, NOW + helloLimits.ageMsMax + 1))).toBe('clock');
});

test('a clock that is ahead keeps no hello good for longer than it is known', () => {
  const server = serverOf();
  const ahead = NOW + helloLimits.ageMsMax;
  const { hello } = callOf({}, ahead);
  expect(server(hello).ok).toBe(true);
  for (const later of [1, helloLimits.ageMsMax, 2 * helloLimits.ageMsMax - 1, 2 * helloLimits.ageMsMax])
    expect(refusalOf(server(hello, NOW + later)), `after ${later} ms`).toBe('repeated');
  expect(refusalOf(server(hello, NOW + 2 * helloLimits.ageMsMax + 1))).toBe('clock');
});

test('clocks more than two minutes apart are refused', () => {
  for (const apart of [-helloLimits.ageMsMax - 1, helloLimits.ageMsMax + 1])
    expect(refusalOf(serverOf()(callOf({}, NOW + apart).hello))).toBe('clock');
  for (const apart of [-helloLimits.ageMsMax, helloLimits.ageMsMax])
    expect(serverOf()(callOf({}, NOW + apart).hello).ok).toBe(true);
});

test('what is known of hellos is bounded', () => {
  const recent = new RecentHellos();
  const message = Buffer.alloc(32);
  for (let index = 0; index < helloLimits.knownMax + 1000; index += 1) {
    message.writeUInt32LE(index);
    expect(recent.judge(message, NOW, NOW)).toBe('new');
  }
  expect(recent.size).toBe(helloLimits.knownMax);
  expect(recent.judge(message, NOW, NOW)).toBe('repeated');
});
