/** XMPP: a stream header, with or without XML declaration. */
import type { FactsAnswer } from '../model/facts.js';
import type { Protocol } from '../model/protocol.js';
import { asBuffer } from './cursor.js';

const space = '[ \\t\\r\\n]';
const declaration = `<\\?xml${space}[^<>\\x00]*\\?>`;
const opening = '<stream:stream';

/** Upper bound on the opening tag with its attributes. */
const tagBytesMax = 4096;

export const xmpp: Protocol = {
  id: 'xmpp',
  transports: ['tcp'],
  rank: 40,
  signature: { patterns: [`^${space}*(?:${declaration}${space}*)?${opening}(?:${space}|>)`], maxBytes: 1024 },
  factNames: ['host'],
  words: '<stream:stream, perhaps after an XML declaration',
  source: 'RFC 6120 section 4.2',
  facts: xmppFacts,
};

/** Host: the stream's domain (RFC 6120 section 4.7.2). */
export function xmppFacts(bytes: Uint8Array): FactsAnswer {
  const head = asBuffer(bytes.subarray(0, tagBytesMax)).toString('latin1');
  const start = head.indexOf(opening);
  const end = start < 0 ? -1 : head.indexOf('>', start);
  if (end >= 0) return { verdict: 'facts', facts: readTag(head.slice(start, end)) };
  if (bytes.length >= tagBytesMax) return { verdict: 'broken', facts: {} };
  return { verdict: 'more', bytesNeeded: bytes.length + 1, facts: {} };
}

function readTag(tag: string) {
  const host = /\sto\s*=\s*(?:'([^'<]*)'|"([^"<]*)")/.exec(tag);
  const name = host?.[1] ?? host?.[2];
  return name === undefined ? {} : { host: name.toLowerCase() };
}
