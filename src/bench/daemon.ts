/** The daemon under load: this package's own, as it is installed, with a configuration in a folder that goes with it. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Document } from '../model/config.js';
import { createFolder } from './folder.js';
import { LoadFailure, loadProgram } from './load.js';
import type { Setup } from './workloads/workload.js';

const program = fileURLToPath(new URL('../../bin/anyport', import.meta.url));

export interface BenchDaemon {
  readonly pid: number;
  /** Name of a listener → its port, in the order of the configuration. */
  readonly ports: ReadonlyMap<string, number>;
  /** Private memory: heaps and stacks, without files. */
  privateBytes(): number;
  residentBytes(): number;
  /** The most resident bytes since this was asked last. */
  mostResidentBytes(): number;
  stop(): Promise<void>;
}

/** Sessions beside those of the load: what the last run has left. */
const SPARE_CONNECTIONS = 256;

export const at = (port: number): string => `127.0.0.1:${port}`;

/** Its configuration: these sections, and nothing of what does not matter to a load. */
export function documentFor(
  { workers, accept, connections }: Pick<Setup, 'workers' | 'accept' | 'connections'>,
  sections: Document,
): Document {
  return {
    logging: { access_log: false },
    ...sections,
    monitoring: { enable_metrics: false, enable_health_check: false },
    server: {
      ...(sections.server as Document | undefined),
      ...('listeners' in sections ? {} : { listen: at(0) }),
      workers,
      accept,
      max_connections: connections + SPARE_CONNECTIONS,
      udp: { max_flows: connections + SPARE_CONNECTIONS },
      graceful_shutdown_timeout: '100ms',
      reload_on_change: false,
    },
  };
}

interface ReadyLine {
  readonly msg: string;
  readonly listeners: readonly { readonly name: string; readonly address: string }[];
}

/**
 * Throws a LoadFailure with its own words when it does not start. It ends with this process, however that ends. `directory`:
 * where the document's paths begin.
 */
export async function startDaemon(document: Document, directory?: string): Promise<BenchDaemon> {
  const folder = createFolder();
  if (directory !== undefined) linkAll(directory, folder.path);
  // No name that is linked already: what is written through a link would be written to the user's file.
  const file = join(folder.path, `${randomUUID()}.yaml`);
  writeFileSync(file, JSON.stringify(document), { flag: 'wx' }); // JSON is YAML
  const args = ['attached', program, 'run', '-c', file, '--log-format', 'json'];
  const child = spawn(loadProgram, args, { cwd: folder.path, stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  const stop = async () => {
    child.kill('SIGTERM');
    await closed;
    folder.stop();
  };
  try {
    const { listeners } = await readyLine(child.stdout, child.stderr);
    const pid = child.pid ?? -1;
    return {
      pid,
      ports: new Map(listeners.map(({ name, address }) => [name, Number(address.split(':').at(-1))])),
      privateBytes: () => memoryOf(pid, 'RssAnon'),
      residentBytes: () => memoryOf(pid, 'VmRSS'),
      mostResidentBytes() {
        const most = memoryOf(pid, 'VmHWM');
        writeFileSync(`/proc/${pid}/clear_refs`, '5'); // begins anew: proc(5)
        return most;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** So that paths lead where they did, and nothing is written where the user's files are. */
function linkAll(from: string, to: string): void {
  for (const name of readdirSync(from)) symlinkSync(join(from, name), join(to, name));
}

/** What it says thereafter is read and dropped, so that it never waits for its reader. */
async function readyLine(stdout: Readable, stderr: Readable): Promise<ReadyLine> {
  const said: string[] = [];
  stderr.on('data', (text) => said.push(String(text)));
  for await (const line of createInterface({ input: stdout })) {
    const parsed = JSON.parse(line) as ReadyLine & { readonly level: string };
    if (parsed.msg === 'ready') {
      stdout.resume();
      return parsed;
    }
    if (parsed.level === 'error' || parsed.level === 'fatal') said.push(line);
  }
  throw new LoadFailure(`the daemon did not start: ${said.join('').trim()}`);
}

/** In bytes. */
function memoryOf(pid: number, row: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${row}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) * 1024;
}
