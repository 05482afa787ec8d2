/** AMQP: the protocol header of 0-9-1 with its drafts and of 1.0 (plain, TLS, SASL). */
import type { FactsAnswer } from '../model/facts.js';
import type { Protocol } from '../model/protocol.js';

const headerBytes = 8;

/** Protocol id and version: the last four bytes of the header. */
const versions: ReadonlyMap<string, string> = new Map([
  ['01010800', '0-8'],
  ['01010901', '0-8'], // as the 0-8 specification writes it: major 9, minor 1
  ['01010009', '0-9'],
  ['00000901', '0-9-1'],
  ['0101000a', '0-10'],
  ['00010000', '1.0'],
  ['02010000', '1.0'],
  ['03010000', '1.0'],
]);

export const amqp: Protocol = {
  id: 'amqp',
  transports: ['tcp'],
  rank: 10,
  signature: { startBytes: [...versions.keys()].map((version) => `414d5150${version}`) },
  factNames: ['version'],
  words: 'AMQP, then a protocol id and a version that exist',
  source: 'AMQP 0-9-1 section 4.2.2, AMQP 1.0 sections 2.2, 5.2 and 5.3',
  facts: amqpFacts,
};

export function amqpFacts(bytes: Uint8Array): FactsAnswer {
  if (bytes.length < headerBytes) return { verdict: 'more', bytesNeeded: headerBytes, facts: {} };
  const version = versions.get(Buffer.from(bytes.subarray(4, headerBytes)).toString('hex'));
  return version === undefined ? { verdict: 'broken', facts: {} } : { verdict: 'facts', facts: { version } };
}
