/** Tails are of whole answers, while everything that is named beside them was done. */
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Contender } from '../../bench/system/contender.js';
import { startAnyport } from '../../bench/system/contenders/anyport.js';
import { haproxy } from '../../bench/system/contenders/haproxy.js';
import { measure } from '../../bench/system/measure.js';
import { table } from '../../bench/system/table.js';
import { prepareTail } from '../../bench/system/tail.js';
import { type Workload, workloads } from '../../bench/system/workloads.js';
import { parseMetrics, total } from '../support/metrics.js';
import { childrenOf } from '../support/proc.js';
import { runProgram } from '../support/process.js';
import { startEndpoint } from '../support/steady.js';
import { echo, listenTcp, type Peer } from '../support/tcp.js';
import { tempFolder } from '../support/temp.js';
import { eventually } from '../support/wait.js';

/** Without `joinLoad` no command is before the client. */
const CLIENT = ['client'];
const tail = (name: string): Workload => {
  const found = workloads(1).find((each) => each.name === `tail-${name}`);
  if (!found) throw new Error(`no workload ${name}`);
  return { ...found, client: ['ping', 8], units: 300, rate: 500 };
};

describe('everything at once', () => {
  let endpoint: Awaited<ReturnType<typeof startEndpoint>>;
  beforeAll(async () => {
    endpoint = await startEndpoint();
  });
  afterAll(() => endpoint.stop());

  /** Few enough for a busy machine. */
  const all: Workload = { ...tail('all'), beside: { sessions: 100, reloads: 1, scrapes: 2 } };

  async function figuresOf(contender: Contender): Promise<void> {
    const run = await measure(CLIENT, all, contender);
    const { p50 = 0, p99 = 0 } = run.quantiles ?? {};
    expect(p50).toBeGreaterThan(0);
    expect(p99).toBeGreaterThanOrEqual(p50);
    expect(run.cost).toBeGreaterThanOrEqual(p99);
    const results = new Map([[contender.name, [run]]]);
    expect(table({ workload: all, results, absent: new Map() })).toMatch(
      /µs p99\.9 per round trip .*per second +p50 +p99\n/,
    );
  }

  async function during(starting: Promise<Contender>, use: (contender: Contender) => Promise<void>) {
    const contender = await starting;
    try {
      await use(contender);
    } finally {
      await contender.stop();
    }
  }

  test('anyport', () =>
    during(startAnyport(endpoint.port, all.setting), async (contender) => {
      const count = async (name: string, labels = {}) =>
        total(parseMetrics((await contender.scrape?.()) ?? ''), name, labels);
      await figuresOf(contender);
      expect(await count('anyport_config_reloads_total', { result: 'applied' })).toBeGreaterThan(0);
      expect(await count('anyport_sessions_total', { reason: 'done' })).toBeGreaterThan(8);
    }));

  test('HAProxy', () =>
    during(haproxy.start(endpoint.port, all.setting), async (contender) => {
      const workers = () => childrenOf(contender.pid as number);
      const [first] = workers();
      await figuresOf(contender);
      await eventually('the first worker to end', () => !workers().includes(first as number));
      expect(await contender.scrape?.()).toContain('haproxy_process_start_time_seconds');
    }));
});

async function through(
  serve: (peer: Peer) => void,
  use: (contender: Contender) => Promise<unknown>,
  more: Partial<Contender> = {},
): Promise<void> {
  const server = await listenTcp((peer) => {
    peer.socket.on('error', () => {});
    serve(peer);
  });
  const start = { cpuNanoseconds: 0, seconds: 0 };
  await use({ name: 'other', port: server.port, pid: null, start, stop: async () => {}, ...more });
  await server.close();
}

const failsWith = (name: string, serve: (peer: Peer) => void, message: RegExp, more?: Partial<Contender>) =>
  through(serve, (other) => expect(measure(CLIENT, tail(name), other)).rejects.toThrow(message), more);

test('a wrong byte', () => {
  let right = 50;
  return failsWith(
    'quiet',
    ({ socket }) =>
      socket.on('data', (bytes: Buffer) => {
        right -= 1;
        if (right < 0) bytes.writeUInt8(0, 40);
        socket.write(bytes);
      }),
    /[1-8] of the long failed: long session on port \d+ failed in answer: other bytes/,
  );
});

test('a short session without an answer', () => {
  let long = 8;
  return failsWith(
    'sessions',
    (peer) => {
      long -= 1;
      if (long >= 0) echo(peer);
      else peer.socket.once('data', () => peer.finish());
    },
    /[1-9]\d* of the short and 0 of the long failed: short session on port \d+ failed in answer: closed early/,
  );
});

describe('what is named beside', () => {
  test('is there', () => failsWith('scrapes', echo, /^no scrapes/));

  test('does not fail', () =>
    failsWith('reloads', echo, /refused/, { reload: () => Promise.reject(new Error('refused')) }));

  test('is done about as often', () =>
    failsWith('scrapes', echo, /^[12] scrapes instead of 6/, {
      scrape: () => new Promise((resolve) => setTimeout(resolve, 500, '')),
    }));
});

test('half load is half of what is answered at most', () =>
  through(echo, async (other) => {
    const { rate = 0 } = await prepareTail(tail('quiet'), [other], []);
    const { rate: carried } = await measure(CLIENT, { ...tail('quiet'), units: rate / 2, rate }, other);
    expect(rate).toBeGreaterThan(0);
    expect(carried).toBeGreaterThan(rate / 2);
  }));

test.each([
  { module: 'garbage', kind: 'MINOR' },
  { module: 'compaction', kind: 'MAJOR' },
])('$module: each thread collects', async ({ module, kind }) => {
  const program = `
    const { PerformanceObserver, constants } = require('node:perf_hooks');
    const { Worker, isMainThread } = require('node:worker_threads');
    if (isMainThread) new Worker(__filename);
    const observer = new PerformanceObserver((list) => {
      if (!list.getEntries().some(({ detail }) => detail.kind === constants.NODE_PERFORMANCE_GC_${kind})) return;
      observer.disconnect();
      clearInterval(open);
      console.log(isMainThread ? 'main' : 'worker');
    });
    observer.observe({ entryTypes: ['gc'] });
    const open = setInterval(() => {}, 1000);
  `;
  const folder = tempFolder();
  const file = `${folder.path}/threads.cjs`;
  writeFileSync(file, program);
  const preload = `./bench/system/contenders/${module}.cjs`;
  const { stdout } = await runProgram(process.execPath, ['--require', preload, file]);
  folder.remove();
  expect(stdout.trim().split('\n').toSorted()).toEqual(['main', 'worker']);
});
