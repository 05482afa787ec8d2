/** One run of one workload through one contender. The client checks every answer; a wrong one throws. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuNanoseconds, privateBytes } from '../../test/support/proc.js';
import { collect } from '../../test/support/process.js';
import type { Contender } from './contenders.js';
import type { Workload } from './workloads.js';

export interface Run {
  /** CPU nanoseconds or bytes of memory of the proxy per unit; null without a proxy. */
  readonly cost: number | null;
  /** Units of work a second of wall time: only to be compared within one run. */
  readonly rate: number;
}

/** Time for a burst's garbage to be collected and its last closes to be done. */
const SETTLE_MS = 500;

export function measure(client: string, workload: Workload, contender: Contender): Promise<Run> {
  return workload.quote.of === 'cpu'
    ? measureCpu(client, workload, contender)
    : measureMemory(client, workload, contender);
}

async function measureCpu(client: string, workload: Workload, { port, pid }: Contender): Promise<Run> {
  const before = pid === null ? 0 : cpuNanoseconds(pid);
  const load = startClient(client, workload, port);
  load.stdin.end();
  const seconds = await load.done();
  // The answers are all there, the last closes may not be.
  await sleep(SETTLE_MS);
  const cost = pid === null ? null : (cpuNanoseconds(pid) - before) / workload.units;
  return { cost, rate: workload.units / seconds };
}

async function measureMemory(client: string, workload: Workload, { port, pid }: Contender): Promise<Run> {
  const before = pid === null ? 0 : privateBytes(pid);
  const load = startClient(client, workload, port);
  const seconds = await load.held();
  await sleep(SETTLE_MS);
  const cost = pid === null ? null : (privateBytes(pid) - before) / workload.units;
  load.stdin.end();
  await load.done();
  return { cost, rate: workload.units / seconds };
}

function startClient(client: string, workload: Workload, port: number) {
  const [mode, ...numbers] = workload.client;
  const child = spawn(client, [mode, `${port}`, ...numbers.map(String)], { stdio: ['pipe', 'pipe', 'pipe'] });
  const errors = collect(child.stderr);
  const output = collect(child.stdout);
  const closed = once(child, 'close') as Promise<[number | null]>;
  const seconds = (): number => Number(/^ok ([\d.]+)/m.exec(output())?.[1]);
  return {
    stdin: child.stdin,
    /** Resolves when all connections are open and silent. */
    held: async () => {
      await Promise.race([once(child.stdout, 'data'), closed]);
      if (child.exitCode !== null) throw new Error(`client ${mode}: ${errors()}`);
      return seconds();
    },
    done: async () => {
      const [status] = await closed;
      if (status !== 0) throw new Error(`client ${mode}: ${errors()}`);
      return seconds();
    },
  };
}
