/** From a document to a daemon without process: loads the data plane on demand and names what can go wrong. */
import type { Native } from '../addon.js';
import { Reader } from '../config/aside.js';
import type { Loaded } from '../config/load.js';
import { unplaced } from '../config/report.js';
import type { Config, Document, Problem } from '../model/config.js';
import type { Daemon, DaemonOptions } from '../primary/daemon.js';
import { AnyportError, type ConfigProblem } from './error.js';
import type { Locals } from './locals.js';
import { respelled, respelledPath } from './spelling.js';

/** The reader's thread is shared by all instances of a process, and ends when none has used it for so long. */
const READER_IDLE_MS = 5_000;

const reader = new Reader({ idleMs: READER_IDLE_MS });

export interface CheckOptions {
  readonly directory: string;
  /** Null with threads. */
  readonly locals: Locals | null;
  /** Whether anything takes log lines. */
  readonly logs: boolean;
}

/** Checks a document as a file is checked; problems are in the file's spelling. */
export async function check(document: Document, options: CheckOptions): Promise<Loaded> {
  const { directory, locals, logs } = options;
  const local = locals === null ? [] : [...locals.table.keys()];
  const loaded = await reader.load({ document, directory, local });
  if (!loaded.ok) return loaded;
  const { config } = loaded;
  const [problem] = problemsOfDaemon(config);
  if (problem) return { ok: false, files: [], problems: [problem] };
  if (locals !== null && config.server.workers !== 1) return { ok: false, files: [], problems: [THREADS] };
  if (logs) return loaded;
  const logging = { ...config.logging, level: 'silent', accessLog: false };
  return { ...loaded, config: { ...config, logging } };
}

const USER = unplaced(
  'is for the daemon: this process is that of its program, which changes its user itself (process.setuid)',
  'server.user',
);

const FILE = unplaced('is for the daemon: an instance gives its lines to `logger`', 'logging.file');

const DOCKER = unplaced('is for the daemon: give what containers serve to `updateConfig`', 'docker');

const FRAGMENTS = unplaced(
  'is for the daemon: give what etcd says to `updateConfig`',
  'distributed.config_manager',
);

/** What a process that is not ours does itself. */
const problemsOfDaemon = ({ server, logging, docker, distributed }: Config): Problem[] => [
  ...(server.identity === null ? [] : [USER]),
  ...(logging.file === null ? [] : [FILE]),
  ...(docker === null ? [] : [DOCKER]),
  ...((distributed?.watchPrefix ?? null) === null ? [] : [FRAGMENTS]),
];

const THREADS = unplaced(
  'is 0 for the life of the instance: its data plane runs on the calling thread',
  'server.workers',
);

export const configProblem = ({ path, message }: Problem): ConfigProblem => ({
  path: respelledPath(path),
  message: respelled(message),
});

type DaemonModule = typeof import('../primary/daemon.js');

/** Rejects with an AnyportError, and leaves nothing open then. */
export async function openDaemon(
  config: Config,
  options: DaemonOptions,
  callOff: AbortSignal,
): Promise<Daemon> {
  const { Daemon } = await loadDaemon();
  try {
    const daemon = await Daemon.open(config, options, callOff);
    await start(daemon, callOff);
    return daemon;
  } catch (error) {
    if (callOff.aborted) throw new AnyportError('closed', 'this instance was closed before it listened');
    throw startFailure(error);
  }
}

async function start(daemon: Daemon, callOff: AbortSignal): Promise<void> {
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= daemon.close();
  };
  callOff.addEventListener('abort', close, { once: true });
  if (callOff.aborted) close();
  try {
    await daemon.start();
    callOff.throwIfAborted();
  } catch (error) {
    close();
    await closing;
    throw error;
  } finally {
    callOff.removeEventListener('abort', close);
  }
}

const loadDaemon = (): Promise<DaemonModule> => supported(() => import('../primary/daemon.js'));

/** The addon alone. Rejects with an AnyportError. */
export const loadAddon = async (): Promise<Native> => (await supported(() => import('../addon.js'))).native;

/** `load` loads the addon. */
async function supported<Loaded>(load: () => Promise<Loaded>): Promise<Loaded> {
  if (process.platform !== 'linux') {
    throw new AnyportError(
      'unsupported',
      `anyport runs on Linux only (epoll, splice); this is ${process.platform}`,
    );
  }
  try {
    return await load();
  } catch (cause) {
    throw new AnyportError('unsupported', `the addon of anyport can not be loaded: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function startFailure(cause: unknown): AnyportError {
  const { code } = cause as NodeJS.ErrnoException;
  return new AnyportError(code === undefined ? 'start_failed' : 'listen_failed', messageOf(cause), { cause });
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
