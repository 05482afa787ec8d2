/** The openings of the workloads are what they claim to be, and the bytes alone decide it. */
import { expect, test } from 'vitest';
import { clientHello, openings } from '../../src/bench/workloads/openings.js';
import { identifyFlight } from '../../src/protocols/flight.js';

test.each(Object.entries(openings))('%s', (protocol, bytes) => {
  expect(identifyFlight([bytes], 'tcp')).toMatchObject({ protocol, verdict: 'match' });
});

test('a TLS hello names its host', async () => {
  const hello = await clientHello('host-3.bench.example.com');
  const identified = identifyFlight([hello], 'tcp');
  expect(identified).toMatchObject({ protocol: 'tls', facts: { sni: 'host-3.bench.example.com' } });
});

test('none is the beginning of another', () => {
  const all = Object.values(openings);
  for (const one of all)
    for (const other of all) expect(one !== other && other.subarray(0, one.length).equals(one)).toBe(false);
});
