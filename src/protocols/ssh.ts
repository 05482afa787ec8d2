/** SSH: the client's identification string. */
import type { FactsAnswer } from '../model/facts.js';
import type { Protocol } from '../model/protocol.js';
import { asBuffer } from './cursor.js';

/** RFC 4253 section 4.2; including CR LF. */
const lineBytesMax = 255;

const lineFeed = 0x0a;

export const ssh: Protocol = {
  id: 'ssh',
  transports: ['tcp'],
  rank: 10,
  // 1.99: a version 2 client that also speaks 1 (RFC 4253 section 5.1); other 1.x: version 1 clients.
  signature: { patterns: ['^SSH-(?:2\\.0|1\\.[0-9]{1,2})-'] },
  factNames: ['software'],
  words: 'SSH-2.0- (or SSH-1.x-)',
  source: 'RFC 4253 section 4.2',
  facts: sshFacts,
};

/** `SSH-protoversion-softwareversion SP comments CR LF` */
export function sshFacts(bytes: Uint8Array): FactsAnswer {
  const head = asBuffer(bytes.subarray(0, lineBytesMax));
  const end = head.indexOf(lineFeed);
  if (end < 0) {
    if (bytes.length >= lineBytesMax) return { verdict: 'broken', facts: {} };
    return { verdict: 'more', bytesNeeded: bytes.length + 1, facts: {} };
  }
  const [identification = ''] = head.toString('latin1', 0, end).trimEnd().split(' ');
  const [, , ...software] = identification.split('-');
  return { verdict: 'facts', facts: { software: software.join('-') } };
}
