/** The daemon under load: this package's own, as it is installed, with a configuration in a folder that goes with it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Document } from '../model/config.js';
import { LoadFailure, loadProgram } from './load.js';

const program = fileURLToPath(new URL('../../bin/anyport', import.meta.url));

export interface BenchDaemon {
  readonly pid: number;
  /** Ports of its listeners, in the order of the configuration. */
  readonly ports: readonly number[];
  /** Private memory: heaps and stacks, without files. */
  privateBytes(): number;
  residentBytes(): number;
  stop(): Promise<void>;
}

interface ReadyLine {
  readonly msg: string;
  readonly listeners: readonly { readonly address: string }[];
}

/** Throws a LoadFailure with its own words when it does not start. It ends with this process, however that ends. */
export async function startDaemon(document: Document): Promise<BenchDaemon> {
  const folder = mkdtempSync(join(tmpdir(), 'anyport-bench-'));
  const file = join(folder, 'anyport.yaml');
  writeFileSync(file, JSON.stringify(document)); // JSON is YAML
  const args = ['attached', program, 'run', '-c', file, '--log-format', 'json'];
  const child = spawn(loadProgram, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  const stop = async () => {
    child.kill('SIGTERM');
    await closed;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const { listeners } = await readyLine(child.stdout, child.stderr);
    const pid = child.pid ?? -1;
    return {
      pid,
      ports: listeners.map(({ address }) => Number(address.split(':').at(-1))),
      privateBytes: () => memoryOf(pid, 'RssAnon'),
      residentBytes: () => memoryOf(pid, 'VmRSS'),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What it says thereafter is read and dropped, so that it never waits for its reader. */
async function readyLine(stdout: NodeJS.ReadableStream, stderr: NodeJS.ReadableStream): Promise<ReadyLine> {
  const said: string[] = [];
  stderr.on('data', (text) => said.push(String(text)));
  const lines = createInterface({ input: stdout });
  const ready = new Promise<ReadyLine>((resolve, reject) => {
    lines.on('line', (line) => {
      const parsed = JSON.parse(line) as ReadyLine;
      if (parsed.msg === 'ready') resolve(parsed);
    });
    lines.on('close', () => reject(new LoadFailure(`the daemon did not start: ${said.join('').trim()}`)));
  });
  return ready;
}

/** In bytes. */
function memoryOf(pid: number, row: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${row}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) * 1024;
}
