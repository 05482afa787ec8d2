/** git: the first pkt-line of its own transport. */
import type { FactsAnswer } from '../model/facts.js';
import type { Protocol } from '../model/protocol.js';
import { hostOf } from './authority.js';
import { asBuffer } from './cursor.js';

/** Maximum pkt-line, including its length (gitprotocol-common). */
const lineBytesMax = 65_520;
const lengthDigits = 4;

export const git: Protocol = {
  id: 'git',
  transports: ['tcp'],
  rank: 10,
  signature: { patterns: ['^[0-9A-Fa-f]{4}git-(?:upload-pack|receive-pack|upload-archive) '] },
  factNames: ['path', 'host'],
  words: 'four hex digits, then git-upload-pack, git-receive-pack or git-upload-archive',
  source: 'gitprotocol-pack, git transport',
  facts: gitFacts,
};

/** `git-upload-pack PATH NUL host=HOST NUL …` */
export function gitFacts(bytes: Uint8Array): FactsAnswer {
  if (bytes.length < lengthDigits) return { verdict: 'more', bytesNeeded: lengthDigits, facts: {} };
  const length = Number.parseInt(asBuffer(bytes).toString('latin1', 0, lengthDigits), 16);
  if (!(length > lengthDigits && length <= lineBytesMax)) return { verdict: 'broken', facts: {} };
  if (bytes.length < length) return { verdict: 'more', bytesNeeded: length, facts: {} };
  const [request = '', host] = asBuffer(bytes).toString('latin1', lengthDigits, length).split('\0');
  const path = request.slice(request.indexOf(' ') + 1).trimEnd();
  if (!host?.startsWith('host=')) return { verdict: 'facts', facts: { path } };
  return { verdict: 'facts', facts: { path, host: hostOf(host.slice('host='.length)) } };
}
