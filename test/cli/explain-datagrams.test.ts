/** `explain --udp`: a datagram is explained as it is identified, and its route as it is taken. */
import { describe, expect, test } from 'vitest';
import { explain } from '../../src/cli/explain/explanation.js';
import { compile } from '../../src/config/compile.js';
import { NOTHING_DISCOVERED } from '../../src/model/config.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { identifyBytes } from '../../src/protocols/identify.js';
import { hex } from '../cases/case.js';
import { flights } from '../cases/flights.js';
import { datagrams } from '../cases/index.js';
import { v2 } from '../cases/proxy-headers.js';
import { configOf } from '../config/support.js';

const plan = compile(
  configOf(`
protocols:
  - { name: Mine, target: own, start_bytes: [aa55], min_bytes: 4, max_bytes: 8, transport: udp }
  - { name: DNS, target: resolver }
  - { name: QUIC, target: web }
  - { name: HTTP, target: web }
listeners:
  - { name: any, address: ":53", transport: tcp+udp, proxy_protocol: { accept: true, trusted: ["192.0.2.0/24"] } }
routes:
  - { when: { protocol: dns, host: "*.corp.example" }, to: inside }
  - { when: { protocol: quic, sni: "b.example" }, to: inside }
upstreams:
  own: { endpoints: ["10.0.0.1:9"] }
  resolver: { endpoints: ["10.0.0.2:53"] }
  inside: { endpoints: ["10.0.0.3:53"] }
  web: { endpoints: ["10.0.0.4:443"] }`),
  NOTHING_DISCOVERED,
  1,
  new IdRegistry(),
);

const explained = (bytes: Uint8Array, source = '') => explain(plan, 0, { source, bytes, transport: 'udp' });

const query = (name: string) =>
  Buffer.concat([
    hex('1234 0100 0001 0000 0000 0000'),
    ...name.split('.').map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`)),
    hex('00 0001 0001'),
  ]);

const recorded = flights.filter(({ transport }) => transport === 'udp').map(({ segments }) => segments[0]);
const all = [...Object.values(datagrams).flatMap((list) => list.map(({ bytes }) => bytes)), ...recorded];

test('every datagram is named as `identify` names it', async () => {
  for (const bytes of all.flatMap((each) => each ?? [])) {
    const { protocol, verdict, protocols } = await explained(bytes);
    const due = identifyBytes([bytes], 'udp');
    expect({ protocol, verdict }).toEqual({ protocol: due.protocol, verdict: due.verdict });
    expect(protocols.filter((row) => row.verdict === 'wins')).toHaveLength(due.protocol === null ? 0 : 1);
    expect(protocols.some((row) => row.verdict === 'more')).toBe(false);
  }
});

describe('where it goes', () => {
  test.each([
    { why: 'a question by its name', bytes: query('a.corp.example'), target: 'inside' },
    { why: 'another question', bytes: query('a.example'), target: 'resolver' },
    { why: 'a custom protocol', bytes: hex('aa55 0000'), target: 'own' },
    { why: 'a custom protocol, too short', bytes: hex('aa55 00'), target: 'close' },
    { why: 'a custom protocol, too long', bytes: hex('aa55 0000 0000 0000 00'), target: 'close' },
    { why: 'a stream in a datagram', bytes: Buffer.from('GET / HTTP/1.1\r\n\r\n'), target: 'close' },
    { why: 'nothing', bytes: new Uint8Array(), target: 'close' },
  ])('$why', async ({ bytes, target }) => {
    expect((await explained(bytes)).outcome.target).toBe(target);
  });

  test('behind the PROXY header of a datagram', async () => {
    const header = v2('21 12 000c c6336407 cb007101 1267 0035');
    const bytes = Buffer.concat([header, query('a.corp.example')]);
    expect(await explained(bytes, '192.0.2.7')).toMatchObject({
      source: '198.51.100.7',
      outcome: { target: 'inside' },
    });
    const { outcome } = await explained(query('a.example'), '192.0.2.7');
    expect(outcome).toMatchObject({ by: 'proxy_protocol', target: 'reset' });
  });

  test('once a hello that spans datagrams is whole', async () => {
    const split = flights.find(({ id }) => id === 'quic-udp-201')?.segments[0] ?? new Uint8Array();
    expect(await explained(split)).toMatchObject({
      protocol: 'quic',
      outcome: { by: 'limits', target: null },
    });
  });
});

test('why the others lost', async () => {
  const { protocols } = await explained(hex('aa55 0000 0000 0000 00'));
  const [mine] = protocols;
  expect(mine).toMatchObject({ protocol: 'Mine', accepted: true, verdict: 'no' });
  expect(mine?.why).toBe('total <= 8 does not hold');
  const short = await explained(hex('1234'));
  const dns = short.protocols.find(({ protocol }) => protocol === 'DNS');
  expect(dns?.why).toMatch(/ends before its signature does|does not fit its signature/);
});
