/**
 * Mutated and random PROXY headers, hellos, openings and configurations: each has an answer, the same however it is
 * cut, and none takes long. `npm run test:native` runs it on the sanitized addon; the native parser of PROXY headers
 * has its fuzzer there.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { formatProblem } from '../../src/config/report.js';
import type { Transport } from '../../src/model/protocol.js';
import { recognizersFor } from '../../src/protocols/index.js';
import { readProxyHeader } from '../../src/protocols/proxy-header.js';
import { flights } from '../cases/flights.js';
import { headers, refused } from '../cases/proxy-headers.js';
import { checkText } from '../config/support.js';
import { type Classify, classifierOf, engines } from '../protocols/engines.js';
import { mutate } from '../support/mutants.js';
import { createRandom, type Random } from '../support/random.js';
import { report, whole } from './soak.js';

interface Kind {
  readonly name: string;
  readonly count: number;
  readonly seeds: readonly Uint8Array[];
  readonly mutate: (seed: Uint8Array, random: Random) => Buffer;
  /** Null: as it should be; otherwise what is wrong with the answer. */
  readonly fault: (bytes: Buffer, random: Random) => string | null;
}

const SHORT = 50;
const times = (count: number): number => (whole ? count : Math.ceil(count / SHORT));

/** A mutant that costs more than this many times the most expensive seed is not bounded: problems cost more than none. */
const DEARER_MAX = 100;
const RANDOM_BYTES_MAX = 2048;

// ---- PROXY headers

function headerFault(bytes: Buffer, random: Random): string | null {
  const answer = readProxyHeader(bytes, 'tcp');
  const early = readProxyHeader(bytes.subarray(0, random(bytes.length + 1)), 'tcp');
  if (early.verdict !== 'more' && early.verdict !== answer.verdict)
    return `${early.verdict} in a prefix, then ${answer.verdict}`;
  if (answer.verdict === 'header' && answer.header.headerBytes > bytes.length) return 'longer than its bytes';
  if (answer.verdict === 'more' && answer.bytesNeeded <= bytes.length) return 'wants what it has';
  return null;
}

// ---- openings

const native: Readonly<Record<Transport, Classify>> = {
  tcp: classifierOf(engines.addon, recognizersFor('tcp')),
  udp: classifierOf(engines.addon, recognizersFor('udp')),
};
const FACTS = ['facts', 'more', 'broken', 'no'];

const openingFault =
  (transport: Transport) =>
  (bytes: Buffer, random: Random): string | null => {
    const { verdict, protocol, decidedAt } = native[transport](bytes);
    if (decidedAt > bytes.length) return `decided at ${decidedAt}`;
    if (transport === 'tcp' && bytes.length > 1) {
      const cut = native.tcp(bytes, { cuts: Uint32Array.of(1 + random(bytes.length - 1)) });
      if (cut.verdict !== verdict || cut.protocol !== protocol) return 'another answer when it is cut';
    }
    const facts = recognizersFor(transport)[protocol]?.facts?.(bytes);
    return facts === undefined || FACTS.includes(facts.verdict) ? null : `facts: ${facts.verdict}`;
  };

const seedsOf = (transport: Transport, ...labels: readonly string[]): Uint8Array[] =>
  flights
    .filter((flight) => flight.transport === transport && flight.bytes.length > 0)
    .filter(({ label }) => labels.length === 0 || labels.includes(label))
    .map(({ bytes }) => bytes);

// ---- configurations

const texts = ['test/config/cases/mission.yaml', 'examples/config.json'].map((file) => readFileSync(file));

/** What a value may be replaced by. */
const VALUES = ['0', '-1', '1e999', '~', '[]', '{}', '""', '*x', '&x', '!!x', '": "', "'[0-9", '99999999999s']
  .concat('a'.repeat(5000), '127.0.0.1/33', '[::1', '1024GiB', '${X:-', '\u0000', '<<: *x', '["a", {}]')
  .map((text) => Buffer.from(text));

/** A value, a line or a few bytes. */
function mutateText(seed: Uint8Array, random: Random): Buffer {
  const lines = Buffer.from(seed).toString('latin1').split('\n');
  const at = random(lines.length);
  const line = lines[at] ?? '';
  const other = lines[random(lines.length)] ?? '';
  switch (random(5)) {
    case 0:
      return mutate(seed, random);
    case 1:
      lines.splice(at, random(3));
      break;
    case 2:
      lines.splice(at, 0, other);
      break;
    case 3:
      lines[at] = `${' '.repeat(random(9))}${line.trimStart()}`;
      break;
    default:
      lines[at] = line.replace(
        /(: *|, *|- *|\[)[^:,[\]{}]+/,
        `$1${VALUES[random(VALUES.length)]?.toString('latin1')}`,
      );
  }
  return Buffer.from(lines.join('\n'), 'latin1');
}

const modules = ['handlers/mqtt.js', 'validators/custom.js'].map((name) => `/etc/anyport/${name}`);

function configFault(bytes: Buffer): string | null {
  const checked = checkText(bytes.toString('latin1'), { files: modules });
  if (checked.ok) return null;
  if (checked.problems.length === 0) return 'refused, and nothing is said';
  const [first] = checked.problems.map(formatProblem);
  return /^any\.yaml(?::\d+:\d+)?: ./.test(first ?? '') ? null : `no place: ${first}`;
}

// ---- all kinds

const headerSeeds = [...headers, ...refused].map(({ bytes }) => bytes).filter(({ length }) => length > 0);

const kinds: Kind[] = [
  { name: 'PROXY headers', count: times(400_000), seeds: headerSeeds, mutate, fault: headerFault },
  {
    name: 'hellos',
    count: times(200_000),
    seeds: seedsOf('tcp', 'tls'),
    mutate,
    fault: openingFault('tcp'),
  },
  { name: 'openings', count: times(250_000), seeds: seedsOf('tcp'), mutate, fault: openingFault('tcp') },
  { name: 'datagrams', count: times(100_000), seeds: seedsOf('udp'), mutate, fault: openingFault('udp') },
  { name: 'configurations', count: times(50_000), seeds: texts, mutate: mutateText, fault: configFault },
];

const pick = <T>(list: readonly T[], random: Random): T => list[random(list.length)] as T;

function randomBytes(random: Random): Buffer {
  const bytes = Buffer.alloc(1 + random(RANDOM_BYTES_MAX));
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = random(256);
  return bytes;
}

interface Suspect {
  readonly ms: number;
  readonly bytes: Buffer;
}

const SUSPECTS_MAX = 20;

/** Keeps the slowest, in order. */
function suspect(suspects: Suspect[], found: Suspect): void {
  const last = suspects.at(-1);
  if (last && suspects.length === SUSPECTS_MAX && found.ms <= last.ms) return;
  suspects.push(found);
  suspects.sort((a, b) => b.ms - a.ms);
  suspects.length = Math.min(suspects.length, SUSPECTS_MAX);
}

/** Milliseconds of the quickest of some times. */
function quickest(fault: Kind['fault'], bytes: Buffer): number {
  const took = Array.from({ length: 5 }, () => {
    const began = performance.now();
    fault(bytes, createRandom(1));
    return performance.now() - began;
  });
  return Math.min(...took);
}

test.each(kinds)('$count $name', { timeout: 3_600_000 }, (kind) => {
  const random = createRandom(20_261_126);
  const suspects: Suspect[] = [];
  for (let n = 0; n < kind.count; n += 1) {
    const bytes = n % 10 === 0 ? randomBytes(random) : kind.mutate(pick(kind.seeds, random), random);
    const began = performance.now();
    const fault = kind.fault(bytes, random);
    const ms = performance.now() - began;
    if (fault !== null) expect.fail(`${fault}: ${bytes.toString('base64')}`);
    suspect(suspects, { ms, bytes });
  }
  // Measured again, because most of the slowest had a collection in their way.
  const again = suspects.map(({ bytes }) => ({ bytes, ms: quickest(kind.fault, bytes) }));
  const slowest = again.reduce((worst, each) => (each.ms > worst.ms ? each : worst));
  const seed = Math.max(...kind.seeds.map((each) => quickest(kind.fault, Buffer.from(each))));
  report(kind.name, {
    count: kind.count,
    slowest_ms: slowest.ms.toFixed(3),
    slowest_seed_ms: seed.toFixed(3),
  });
  expect(slowest.ms, slowest.bytes.toString('base64')).toBeLessThan(DEARER_MAX * Math.max(seed, 0.1));
});
