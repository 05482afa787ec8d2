/** What is said where datagrams are listened for. */
import { expect, test } from 'vitest';
import { amplifiers } from '../../src/doctor/checks/amplifiers.js';
import { udpBuffers } from '../../src/doctor/checks/udp-buffers.js';
import type { Config, ListenerConfig } from '../../src/model/config.js';
import { amplifiers as known } from '../../src/protocols/amplification.js';
import { protocolById } from '../../src/protocols/index.js';
import { configOf, findingsOf, sysctls } from './support.js';

const streams = configOf({
  protocols: [
    { name: 'DNS', target: 'a' },
    { name: 'SSH', target: 'a' },
  ],
});
const [dns, ...others] = streams.protocols;
if (dns === undefined) throw new Error('there is no DNS');
const config: Config = { ...streams, protocols: [dns, { ...dns, name: 'NTP', id: 'ntp' }, ...others] };

const listening = (transport: ListenerConfig['transport'], protocols: readonly string[]): Config => ({
  ...config,
  listeners: config.listeners.map((listener) => ({ ...listener, transport, protocols })),
});

test('a note for each protocol that amplifies, where a datagram listener names it', () => {
  const noted = (transport: ListenerConfig['transport'], protocols: readonly string[]) =>
    findingsOf(amplifiers, {}, listening(transport, protocols)).map(
      ({ what, verdict }) => `${verdict} ${what}`,
    );
  expect(noted('udp', ['DNS', 'NTP', 'SSH'])).toEqual(['note ntp over UDP', 'note dns over UDP']);
  expect(noted('tcp+udp', ['DNS'])).toEqual(['note dns over UDP']);
  expect(noted('tcp', ['DNS', 'NTP'])).toEqual([]);
  expect(noted('udp', ['SSH'])).toEqual([]);
});

test('it says how much, who says so, and what helps', () => {
  const [finding] = findingsOf(amplifiers, {}, listening('udp', ['DNS']));
  expect(finding).toMatchObject({
    there: 'answers of up to 54 times the request',
    why: expect.stringMatching(/^US-CERT TA14-017A: /),
    remedies: ['security.allow_only: [your networks]', expect.stringMatching(/rate limiting/)],
  });
});

test('receive buffers are asked for where there are datagrams', () => {
  const verdicts = (transport: ListenerConfig['transport'], bytes: string) =>
    findingsOf(
      udpBuffers,
      { texts: sysctls({ 'net.core.rmem_max': bytes }) },
      listening(transport, ['DNS']),
    ).map(({ verdict }) => verdict);
  expect(verdicts('tcp', '212992')).toEqual([]);
  expect(verdicts('udp', '212992')).toEqual(['note']);
  expect(verdicts('udp', '4194304')).toEqual(['ok']);
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
