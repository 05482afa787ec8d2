/** The server's identification (RFC 4253 section 4.2): other lines may come before it. */
import type { HealthCheck, Outcome } from '../check.js';
import { judged } from '../judged.js';
import { speaksNo, unwell, well } from '../outcomes.js';

export const ssh: HealthCheck = {
  words: 'says that it speaks SSH 2',
  over: 'tcp',
  options: () => ({}),
  run: (line) => judged(line, judgeIdentification),
};

/** OpenSSH's line when too many sessions are logging in. */
const CROWDED = 'Exceeded MaxStartups';
const IDENTIFICATION = /^SSH-(\d{1,3}\.\d{1,3})-/;
const VERSIONS = ['2.0', '1.99'];

export function judgeIdentification(bytes: Buffer): Outcome | null {
  for (const line of bytes.toString('latin1').split('\n').slice(0, -1)) {
    if (line.startsWith(CROWDED)) return unwell('has too many logins under way');
    if (!line.startsWith('SSH-')) continue;
    const version = IDENTIFICATION.exec(line)?.[1];
    if (version === undefined) return speaksNo('SSH');
    return VERSIONS.includes(version) ? well : unwell('does not speak SSH 2');
  }
  return null;
}
