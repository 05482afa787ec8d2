/**
 * Links of two daemons for longer: as in examples/, a large download with an SSH session beside it over a wire that loses
 * one datagram in twenty each way; and 200 sessions on as many links, again and again, of which nothing is left.
 */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { farConfig, keep, nearConfig, own } from '../e2e/kcp/stage.js';
import { type Daemon, startDaemon, type TestConfig } from '../support/daemon.js';
import { freePort } from '../support/ports.js';
import { cpuNanoseconds, openFiles, privateBytes } from '../support/proc.js';
import { cleanEnvironment, runProgram, stopProcess } from '../support/process.js';
import { type RealServer, sshOptions, startHttp, startSshd } from '../support/servers.js';
import { startEndpoint } from '../support/steady.js';
import { describeWith } from '../support/tools.js';
import { hold, transfer } from '../support/tunnel-load.js';
import { lossyWire, startWire } from '../support/wire.js';
import { heldBytes, MIB, report, whole } from './soak.js';

const MB = 1_000_000;

describeWith(
  'sshd',
  'ssh',
  'ssh-keygen',
  'nginx',
  'curl',
  'g++',
)('the two examples', () => {
  const MEGABYTES = whole ? 1000 : 24;
  /** All windows and budgets of a link (18 MiB), and what compiling takes meanwhile. */
  const GROWTH_MAX = 48 * MIB;

  let servers: readonly RealServer[];
  beforeAll(async () => {
    servers = await Promise.all([startSshd(), startHttp()]);
  });
  afterAll(() => Promise.all(servers.map((server) => server.stop())));

  const example = (file: string, replaced: Readonly<Record<string, string>>): TestConfig => {
    const text = readFileSync(`examples/${file}`, 'utf8');
    return parse(Object.entries(replaced).reduce((all, [from, to]) => all.replaceAll(from, to), text));
  };

  async function hashOf(path: string): Promise<string> {
    const hash = createHash('sha256');
    await pipeline(createReadStream(path), hash);
    return hash.digest('hex');
  }

  /** Some bytes now and then to `cat` at the far end. `finish`: how many there were; fails unless all came back. */
  function startSession(port: number, sshd: RealServer) {
    const args = ['-p', `${port}`, ...sshOptions(sshd), '127.0.0.1', 'cat'];
    const child = spawn('ssh', args, { env: cleanEnvironment(), stdio: ['pipe', 'pipe', 'inherit'] });
    keep({ stop: () => stopProcess(child, 'SIGKILL') });
    const closed = once(child, 'close');
    const [sent, received] = [createHash('sha256'), createHash('sha256')];
    let bytes = 0;
    child.stdout.on('data', (chunk) => received.update(chunk));
    const timer = setInterval(() => {
      const some = randomBytes(1 + (bytes % 4096));
      bytes += some.length;
      sent.update(some);
      child.stdin.write(some);
    }, 20);
    return {
      async finish(): Promise<number> {
        clearInterval(timer);
        child.stdin.end();
        expect(await closed).toEqual([0, null]);
        expect(received.digest('hex')).toBe(sent.digest('hex'));
        return bytes;
      },
    };
  }

  /** The most that each has had beyond what it had when this began. */
  function watchMemory(daemons: readonly Daemon[]) {
    const before = daemons.map(({ pid }) => privateBytes(pid));
    const most = [...before];
    const timer = setInterval(() => {
      for (const [index, { pid }] of daemons.entries())
        most[index] = Math.max(most[index] ?? 0, privateBytes(pid));
    }, 50);
    return () => {
      clearInterval(timer);
      return most.map((bytes, index) => bytes - (before[index] ?? 0));
    };
  }

  test(`${MEGABYTES} MB and an SSH session at once`, { timeout: 900_000 }, async () => {
    const [sshd, nginx] = servers as [RealServer, RealServer];
    const [far, near] = [await freePort(), await freePort()];
    const wire = keep(await startWire(far, lossyWire));
    const environment = { KCP_SECRET: 'of this test', KCP_SERVER: wire.target };
    const replaced = {
      ':4000"': `127.0.0.1:${far}"`,
      '127.0.0.1:7878': `127.0.0.1:${near}`,
      '127.0.0.1:22': sshd.target,
      '127.0.0.1:80': nginx.target,
    };
    const daemons: Daemon[] = [];
    for (const file of ['kcp.yaml', 'kcp-client.yaml'])
      daemons.push(keep(await startDaemon(example(file, replaced), { environment })));
    const [large, fetched] = [`${nginx.folder}/www/large`, `${nginx.folder}/fetched`];
    writeFileSync(large, randomBytes(MEGABYTES * MB));
    const session = startSession(near, sshd);
    const used = daemons.map(({ pid }) => cpuNanoseconds(pid));
    const memory = watchMemory(daemons);
    const began = performance.now();
    const args = ['-sS', '-o', fetched, `http://127.0.0.1:${near}/large`];
    expect(await runProgram('curl', args, { limitMs: 600_000 })).toMatchObject({ status: 0, stderr: '' });
    const seconds = (performance.now() - began) / 1000;
    const sessionBytes = await session.finish();
    const cpu = daemons.map(({ pid }, index) => (cpuNanoseconds(pid) - (used[index] ?? 0)) / 1e9);
    const growth = memory();
    const { down, down_lost, overrun } = await wire.carried();
    report(`${MEGABYTES} MB over 5 % loss`, {
      seconds: seconds.toFixed(1),
      mb_per_s: (MEGABYTES / seconds).toFixed(1),
      ssh_bytes: sessionBytes,
      far_and_near_cpu_s: cpu.map((each) => each.toFixed(1)).join(' and '),
      far_and_near_growth_mib: growth.map((bytes) => (bytes / MIB).toFixed(1)).join(' and '),
    });
    expect(await hashOf(fetched)).toBe(await hashOf(large));
    expect(down_lost / down).toBeGreaterThan(0.03);
    expect(overrun).toBe(0);
    for (const bytes of growth) expect(bytes).toBeLessThan(GROWTH_MAX);
  });
});

describeWith('g++')('200 sessions, each on a link of its own', () => {
  const ROUNDS = whole ? 20 : 3;
  const SESSIONS = 200;
  /** A link that is late on a busy machine is given up, and its session goes over another. */
  const LINKS_LEAST = 0.8 * SESSIONS;
  /** In half of the rounds; 5.7 KB are what an idle link holds. In few rounds heaps swing by more. */
  const GROWTH_MAX = whole ? (SESSIONS * ROUNDS * 5700) / 4 : 8 * MIB;
  const FILES_MAX = 8;
  /** Two seconds: collections have been there. */
  const LOOKS = 20;
  /** Heaps that do not swing. */
  const environment = {
    NODE_OPTIONS: `--max-semi-space-size=1 --require ${resolve('test/soak/collect.cjs')}`,
    MALLOC_ARENA_MAX: '1',
    MALLOC_TRIM_THRESHOLD_: '131072',
  };
  const profile = own({ heartbeat: '500ms', dead_after: '2s' });

  /** The least of several looks: what a collection would free is not left behind. */
  async function settled(daemons: readonly Daemon[]): Promise<number[]> {
    const least = daemons.map(() => Number.POSITIVE_INFINITY);
    for (let look = 0; look < LOOKS; look += 1) {
      await sleep(100);
      for (const [index, daemon] of daemons.entries())
        least[index] = Math.min(least[index] ?? 0, await heldBytes(daemon));
    }
    return least;
  }

  test(`${ROUNDS} times: neither end keeps memory or files`, { timeout: 900_000 }, async () => {
    const endpoint = keep(await startEndpoint());
    const [port, at] = [await freePort(), await freePort()];
    const listener = { address: `:${port}` };
    const far = keep(
      await startDaemon(farConfig(profile, port, endpoint.target, { listener }), { environment }),
    );
    // Each address of the far end has a link of its own.
    const endpoints = Array.from({ length: SESSIONS }, (_, n) => `127.1.1.${n}:${port}`);
    const config = nearConfig(profile, at, '', { upstream: { endpoints } });
    const near = keep(await startDaemon(config, { environment }));
    const daemons = [near, far];
    const bytes: number[][] = [];
    const files: number[][] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const held = keep(await hold(at, SESSIONS));
      expect(await near.metric('anyport_kcp_links')).toBeGreaterThan(LINKS_LEAST);
      await Promise.all([transfer(at, 'down', MB), transfer(at, 'up', MB)]);
      await held.leave();
      // Links outlive their sessions by a minute, but not an end that is silent.
      far.signal('SIGSTOP');
      await near.metricBecomes('anyport_kcp_links', 0);
      far.signal('SIGCONT');
      await far.metricBecomes('anyport_kcp_links', 0);
      for (const daemon of daemons) await daemon.metricBecomes('anyport_sessions_active', 0);
      bytes.push(await settled(daemons));
      files.push(daemons.map(({ pid }) => openFiles(pid)));
    }
    // By the half everything has been compiled and every table has its size.
    const half = Math.ceil(ROUNDS / 2);
    const least = (rows: number[][], index: number) => Math.min(...rows.map((row) => row[index] ?? 0));
    const growth = daemons.map(
      (_, index) => least(bytes.slice(half), index) - least(bytes.slice(1, half), index),
    );
    report(`${SESSIONS} sessions, ${ROUNDS} rounds`, {
      near_mib: bytes.map(([each = 0]) => (each / MIB).toFixed(1)).join(' '),
      far_mib: bytes.map(([, each = 0]) => (each / MIB).toFixed(1)).join(' '),
      growth_kib: growth.map((each) => Math.round(each / 1024)).join(' and '),
    });
    for (const each of growth) expect(each).toBeLessThan(GROWTH_MAX);
    for (const [index] of daemons.entries())
      expect(files.at(-1)?.[index]).toBeLessThanOrEqual((files[0]?.[index] ?? 0) + FILES_MAX);
    for (const daemon of daemons) await daemon.booksBalance();
  });
});
