/** What is said where datagrams are listened for. */
import { expect, test } from 'vitest';
import { amplifiers } from '../../src/doctor/checks/amplifiers.js';
import { localPorts } from '../../src/doctor/checks/local-ports.js';
import { udpBuffers } from '../../src/doctor/checks/udp-buffers.js';
import type { Config, ListenerConfig } from '../../src/model/config.js';
import { amplifiers as known } from '../../src/protocols/amplification.js';
import { protocolById } from '../../src/protocols/index.js';
import { configOf, findingsOf, sysctls, unprivileged } from './support.js';

const streams = configOf({
  protocols: [
    { name: 'DNS', target: 'a' },
    { name: 'SSH', target: 'a' },
  ],
});
const [dns, ...others] = streams.protocols;
if (dns === undefined) throw new Error('there is no DNS');
const config: Config = { ...streams, protocols: [dns, { ...dns, name: 'NTP', id: 'ntp' }, ...others] };

const listening = (
  transport: ListenerConfig['transport'],
  protocols: readonly string[],
  more: Partial<ListenerConfig> = {},
): Config => ({
  ...config,
  listeners: config.listeners.map((listener) => ({ ...listener, transport, protocols, ...more })),
});

const noted = (on: Config) => findingsOf(amplifiers, {}, on).map(({ what, verdict }) => `${verdict} ${what}`);

test('a note for each protocol that amplifies, where a datagram listener names it', () => {
  expect(noted(listening('udp', ['DNS', 'NTP', 'SSH']))).toEqual(['note ntp over UDP', 'note dns over UDP']);
  expect(noted(listening('tcp+udp', ['DNS']))).toEqual(['note dns over UDP']);
  expect(noted(listening('tcp', ['DNS', 'NTP']))).toEqual([]);
  expect(noted(listening('udp', ['SSH']))).toEqual([]);
});

test('but not where only this machine or named networks send, nor where answers are bounded', () => {
  const address = { kind: 'inet', host: '127.0.0.1', port: 53, text: '127.0.0.1:53' } as const;
  expect(noted(listening('udp', ['DNS'], { address }))).toEqual([]);
  const { lists } = config.security;
  const allowed = { networks: ['10.0.0.0/8'], files: [] };
  expect(noted(listening('udp', ['DNS'], { lists: { ...lists, allowed } }))).toEqual([]);
  const open = listening('udp', ['DNS']);
  expect(noted({ ...open, security: { ...open.security, lists: { ...lists, allowed } } })).toEqual([]);
  const bounded = open.upstreams.map((each) => ({
    ...each,
    options: { ...each.options, udp: { ...each.options.udp, amplification: 3 } },
  }));
  expect(noted({ ...open, upstreams: bounded })).toEqual([]);
});

test('a forward is known by the port of its endpoints', () => {
  const to = (port: number) => {
    const forward = { at: 'forwards[3]', upstream: 'a' };
    const address = { host: '10.0.0.7', port };
    const endpoints = [{ name: `10.0.0.7:${port}`, address, weight: 1, backup: false }];
    const open = listening('udp', [], { forward });
    return { ...open, upstreams: open.upstreams.map((each) => ({ ...each, endpoints })) };
  };
  expect(noted(to(123))).toEqual(['note ntp over UDP']);
  expect(noted(to(3478))).toEqual([]);
  expect(findingsOf(amplifiers, {}, to(53))[0]?.why).toContain('by forwards[3]');
});

test('the routes that lead there are named', () => {
  const open = listening('udp', ['DNS', 'NTP']);
  const to = { kind: 'upstream', upstream: 'a' } as const;
  const routes = [
    { name: 'routes[0]', when: { protocol: 'DNS' }, to },
    { name: 'routes[1]', when: { listener: 'elsewhere' }, to },
    { name: 'routes[2]', when: { protocol: ['NTP', 'DNS'] }, to: { kind: 'end', closing: 'drop' } as const },
  ];
  const [, finding] = findingsOf(amplifiers, {}, { ...open, routes });
  expect(finding).toMatchObject({
    what: 'dns over UDP',
    why: expect.stringMatching(/, by routes\[0\] and protocols\.DNS$/),
  });
});

test('it says how much, who says so, and what helps', () => {
  const [finding] = findingsOf(amplifiers, {}, listening('udp', ['DNS']));
  expect(finding).toMatchObject({
    there: 'answers of up to 54 times the request',
    why: expect.stringMatching(/^US-CERT TA14-017A: /),
    remedies: [
      'udp: { amplification: 3 }  # of upstream a',
      'security.allow_only: [your networks]',
      expect.stringMatching(/rate limiting/),
    ],
  });
});

test('receive buffers are asked for where there are datagrams', () => {
  const verdicts = (transport: ListenerConfig['transport'], bytes: string, texts = unprivileged) =>
    findingsOf(
      udpBuffers,
      { texts: { ...texts, ...sysctls({ 'net.core.rmem_max': bytes }) } },
      listening(transport, ['DNS']),
    ).map(({ verdict }) => verdict);
  expect(verdicts('tcp', '212992')).toEqual([]);
  expect(verdicts('udp', '212992')).toEqual(['note']);
  expect(verdicts('udp', '4194304')).toEqual(['ok']);
  // CAP_NET_ADMIN may have more.
  expect(verdicts('udp', '212992', {})).toEqual(['ok']);
});

test('flows take a local port each, whatever their endpoint', () => {
  const ports = (transport: ListenerConfig['transport'], range: string) =>
    findingsOf(
      localPorts,
      { texts: sysctls({ 'net.ipv4.ip_local_port_range': range }) },
      listening(transport, ['DNS']),
    ).filter(({ what }) => what === 'local ports of flows');
  expect(ports('udp', '32768 60999')).toMatchObject([
    { verdict: 'note', needed: '65,536', there: '28,232 (32768–60999)' },
  ]);
  expect(ports('tcp', '32768 60999')).toEqual([]);
});

test.each(known)(
  '$id is a protocol of the table, and its source is said',
  ({ id, source, advice, factor }) => {
    expect(protocolById(id)?.id).toBe(id);
    expect(source).toMatch(/^(?:RFC \d+ section|US-CERT) /);
    expect(advice).not.toBe('');
    expect(factor ?? 1).toBeGreaterThanOrEqual(1);
  },
);
