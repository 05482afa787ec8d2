/** Lists of networks: finding a source in one of up to a million, and reading such a list from a file. */
import { deepStrictEqual, strictEqual } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom, type Random } from '../../src/base/random.js';
import { native } from './addon.js';
import type { Task, Timed } from './task.js';

const MANY = 1_000_000;
/** Sources per call. */
const BATCH = 100_000;
const UNANSWERED = 9;

/** One length of prefix, so that a set of their bytes knows the answer. */
interface Kind {
  readonly name: string;
  readonly family: 4 | 6;
  readonly bytes: number;
  /** A network or an address in the region of the list: 4 or 16 bytes. */
  readonly any: (random: Random) => Buffer;
}

const anyBytes = (random: Random, start: readonly number[], count: number): Buffer =>
  Buffer.from([...start, ...Array.from({ length: count - start.length }, () => random(256))]);

const kinds: readonly Kind[] = [
  { name: 'IPv4 addresses', family: 4, bytes: 4, any: (random) => anyBytes(random, [], 4) },
  { name: 'IPv4 /24', family: 4, bytes: 3, any: (random) => anyBytes(random, [], 4) },
  { name: 'IPv6 /48', family: 6, bytes: 6, any: (random) => anyBytes(random, [0x20], 16) },
  {
    name: 'IPv6 /64 in one /32',
    family: 6,
    bytes: 8,
    any: (random) => anyBytes(random, [0x20, 1, 0xd, 0xb8], 16),
  },
  {
    name: 'IPv6 addresses in one /64',
    family: 6,
    bytes: 16,
    any: (random) => anyBytes(random, [0x20, 1, 0xd, 0xb8, 0, 0, 0, 1], 16),
  },
];

const keyOf = (kind: Kind, address: Buffer): string => address.toString('latin1', 0, kind.bytes);

function textOf(kind: Kind, network: Buffer): string {
  const bits = 8 * kind.bytes;
  if (kind.family === 4) return `${[...network].join('.')}/${bits}`;
  return `${network.toString('hex').replace(/(.{4})(?!$)/g, '$1:')}/${bits}`;
}

const MAPPED = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);
const wide = (address: Buffer): Buffer => (address.length === 4 ? Buffer.concat([MAPPED, address]) : address);

/** Half of the sources are in the list. */
function findTask(kind: Kind, count: number): Task {
  const random = createRandom(count);
  const networks = Array.from({ length: count }, () => kind.any(random));
  const known = new Set(networks.map((network) => keyOf(kind, network)));
  const prefixes = new native.Prefixes(networks.map((network) => textOf(kind, network)));
  const sources = Array.from({ length: BATCH }, (_, i) => {
    const source = kind.any(random);
    if (i % 2 === 0) (networks[random(count)] as Buffer).copy(source, 0, 0, kind.bytes);
    return source;
  });
  const due = Buffer.from(sources.map((source) => Number(known.has(keyOf(kind, source)))));
  const addresses = Buffer.concat(sources.map(wide));
  const answers = Buffer.alloc(BATCH, UNANSWERED);
  const size = `${(prefixes.bytes / 1024 / 1024).toFixed(1)} MiB`;
  return {
    name: `${kind.name}, ${count.toLocaleString('en')}${count === MANY ? `: ${size}` : ''}`,
    operations: BATCH,
    run: () => prefixes.containsMany(addresses, answers),
    check: () => {
      deepStrictEqual(answers, due, kind.name);
      answers.fill(UNANSWERED);
    },
  };
}

export const listTasks = (): Task[] =>
  kinds.flatMap((kind) => [100, MANY].map((count) => findTask(kind, count)));

/** From the call until the set is there, on another thread. */
export async function readingTimes(rounds: number): Promise<Timed[]> {
  const folder = mkdtempSync(join(tmpdir(), 'anyport-lists-'));
  try {
    const times: Timed[] = [];
    for (const kind of kinds) times.push(await readingTime(kind, join(folder, 'list'), rounds));
    return times;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function readingTime(kind: Kind, path: string, rounds: number): Promise<Timed> {
  const random = createRandom(1);
  const lines = Array.from({ length: MANY }, () => textOf(kind, kind.any(random)));
  writeFileSync(path, `${lines.join('\n')}\n`);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const from = process.hrtime.bigint();
    const read = await native.Prefixes.read(path);
    times.push(Number(process.hrtime.bigint() - from) / MANY);
    strictEqual('entries' in read && read.entries, MANY);
  }
  times.sort((a, b) => a - b);
  return { name: kind.name, nanoseconds: times[Math.floor(rounds / 2)] as number };
}
