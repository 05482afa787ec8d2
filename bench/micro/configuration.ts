/** Cost of a change of the configuration: reading and checking a file, comparing, compiling. */

import { strict as assert } from 'node:assert';
import { compile } from '../../src/config/compile.js';
import { diffConfigs } from '../../src/config/diff/index.js';
import { readConfig } from '../../src/config/read.js';
import { validate } from '../../src/config/validate/index.js';
import type { Config } from '../../src/model/config.js';
import { NOTHING_DISCOVERED } from '../../src/model/config.js';
import { IdRegistry } from '../../src/plane/ids.js';
import type { Task } from './task.js';

const ROUTES = 1000;
const UPSTREAMS = 200;

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');

/** Routes of four kinds: some could cover others, none does. */
const conditions = (n: number): string =>
  [
    `protocol: tls, sni: "h${n}.example.com", listener: l${n % 10}`,
    `protocol: http, host: "*.h${n}.example.com"`,
    `source: ["10.${n >> 8}.${n & 255}.0/24"]`,
    `host: "h${n}.example", source: ["10.0.0.0/8"]`,
  ][n % 4] ?? '';

/** `first`: further routes before all others. */
const textWith = (first: string): string => `
listeners:
${lines(10, (n) => `  - { name: l${n}, address: "127.0.0.1:${20_000 + n}", on_unknown: u0 }`)}
protocols: [{ name: TLS, target: u1 }, { name: HTTP, target: u2 }]
upstreams:
${lines(UPSTREAMS, (n) => `  u${n}: { endpoints: ["10.1.0.${n}:80", { address: "10.2.0.${n}:80", weight: 3 }] }`)}
routes:
${first}${lines(ROUTES, (n) => `  - { when: { ${conditions(n)} }, to: u${n % UPSTREAMS} }`)}
`;

const world = {
  directory: '/',
  fileKind: () => 'module' as const,
  listFault: () => null,
  writeFault: () => null,
  keyFile: () => ({ fault: 'no such file' }),
  usersFile: () => ({ fault: 'no such file' }),
  authorities: () => ({ fault: 'no such file' }),
  targetFile: () => ({ fault: 'no such file' }),
  programFault: () => null,
  cores: 2,
  addresses: [],
  kernel: {
    congestion: [],
    congestionForAll: [],
    mayAdminister: true,
    mayBeTransparent: true,
    interfaces: [],
  },
  accounts: { user: () => null, group: () => null, groupsOf: () => [] },
  mayUse: () => true,
  hostName: 'gateway',
  nowMs: 0,
};

function configOf(text: string): Config {
  const checked = validate(readConfig(text, 'bench.yaml', {}).source, world);
  assert(checked.ok);
  return checked.config;
}

export function configurationTasks(): Task[] {
  const text = textWith('');
  const before = configOf(text);
  const same = configOf(text);
  const inserted = configOf(textWith('  - { when: { sni: "new.example" }, to: u0 }\n'));
  return [
    task('read the file', () => readConfig(text, 'bench.yaml', {}).source.files.length, 1),
    task('read and check it', () => configOf(text).routes.length, ROUTES),
    task('compare it with the same', () => diffConfigs(before, same).length, 0),
    task('compare it with one route more, the first', () => diffConfigs(before, inserted).length, 1),
    task(
      'compile it',
      () => compile(before, NOTHING_DISCOVERED, 1, new IdRegistry()).routes.length,
      ROUTES + before.protocols.length,
    ),
  ];
}

function task(name: string, measure: () => number, expected: number): Task {
  let answer = -1;
  const run = () => {
    answer = measure();
  };
  return { name, operations: 1, run, check: () => assert.equal(answer, expected) };
}
