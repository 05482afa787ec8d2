/**
 * `server.user`: a daemon that root starts becomes this user before it opens anything, so that files, sockets and modules
 * are the user's from the first one on. What it takes to bind it keeps as capabilities until everything is bound, and
 * what a reload or a session takes for as long as it serves. Worker threads start after that.
 */
import { access, constants, readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { native } from '../../addon.js';
import { maskIn, maskOf, namesOf } from '../../base/capabilities.js';
import type { Config, Identity } from '../../model/config.js';
import type { Part, Prepared } from '../../primary/part.js';
import { StartError } from '../../primary/start-error.js';
import { neededFor, neededToBind, readPermissive } from './capabilities.js';
import { rootRefusal } from './root.js';

const TASKS = '/proc/self/task';

/** Of ours: all of it is installed together. */
const PROGRAM = fileURLToPath(new URL('../../worker/main.js', import.meta.url));

const TO_BECOME = maskOf('CAP_SETUID', 'CAP_SETGID');

/** Why this process can not become whom the configuration names; null: it can, or nobody is named. */
export async function identityRefusal({ server: { identity } }: Config): Promise<string | null> {
  if (identity === null || isAlready(identity)) return null;
  // Without /proc it is tried.
  const permitted = (await readRights('/proc/self/status'))?.permitted ?? TO_BECOME;
  if ((permitted & TO_BECOME) === TO_BECOME) return null;
  return (
    `server.user: this process runs as user ${process.getuid?.()} and can not become ${shownUser(identity)}: ` +
    'start it as root, or as that user, or leave `user` out'
  );
}

export class Privileges implements Part {
  readonly #identity: Identity | null;
  readonly #allowRoot: boolean;
  /** Capabilities that the first configuration takes. */
  readonly #needed: number;
  /** Upper bound of what threads may have once everything is bound. */
  #most: number;
  readonly #toBind: number;

  constructor(config: Config, allowRoot: boolean) {
    this.#identity = config.server.identity;
    this.#allowRoot = allowRoot;
    this.#needed = neededFor(config, readPermissive());
    this.#most = this.#needed;
    this.#toBind = neededToBind(config);
  }

  /** Before anything is opened. Rejects with a StartError. */
  async become(): Promise<void> {
    const identity = this.#identity;
    if (identity === null) return;
    // Also starts libuv's threads for files, which otherwise would get the capabilities that are for binding alone.
    const permitted = (await readRights('/proc/self/status'))?.permitted ?? 0;
    try {
      if (isAlready(identity)) this.#most |= permitted;
      else native.become(nativeOf(identity), this.#needed | this.#toBind);
      native.harden();
    } catch (error) {
      throw new StartError(
        `server.user: becoming ${shownUser(identity)} failed: ${(error as Error).message}`,
      );
    }
    for (const file of await this.unreadable([PROGRAM, process.execPath])) {
      throw new StartError(`server.user: ${shownUser(identity)} may not read ${file}, which anyport runs`);
    }
  }

  /** Files that root could read at the start and a reload can not. */
  async unreadable(files: readonly string[]): Promise<string[]> {
    if (this.#identity === null) return [];
    const codes = await Promise.all(files.map((file) => access(file, constants.R_OK).then(() => '', codeOf)));
    return files.filter((_, index) => codes[index] === 'EACCES');
  }

  /** Everything is bound, and no worker has started. Throws a StartError if any thread has more than it should. */
  async settle(): Promise<void> {
    const identity = this.#identity;
    if (identity === null) return;
    native.keepCapabilities(this.#needed);
    for (const thread of await threads()) {
      const rights = await readRights(`${TASKS}/${thread}/status`);
      const fault = rights && faultOf(rights, identity, this.#most);
      if (fault) throw new StartError(`server.user: thread ${thread} ${fault}`);
    }
  }

  /** Starts a process with the capabilities of this one; health checks that run programs do not give them away. */
  passOn<Result>(start: () => Result): Result {
    if (this.#identity === null || this.#needed === 0) return start();
    native.passCapabilities(this.#needed);
    try {
      return start();
    } finally {
      native.passCapabilities(0);
    }
  }

  async prepare(config: Config): Promise<Prepared> {
    const refusal = rootRefusal(config, this.#allowRoot) ?? this.#refusal(config);
    if (refusal !== null) throw new StartError(refusal);
    return { commit() {}, discard() {} };
  }

  close(): void {}

  #refusal(config: Config): string | null {
    const lacking = namesOf(neededFor(config, readPermissive()) & ~this.#needed);
    if (this.#identity === null || lacking.length === 0) return null;
    return `it takes ${lacking.join(' and ')}, given up at the start because nothing needed it then: restart anyport`;
  }
}

const codeOf = ({ code }: NodeJS.ErrnoException): string => code ?? '';

const isAlready = ({ user, group }: Identity): boolean =>
  process.geteuid?.() === user.uid && process.getegid?.() === group.gid;

const nativeOf = ({ user, group }: Identity) => ({ user: user.account, uid: user.uid, gid: group.gid });

const shownUser = ({ user, group }: Identity): string => [user.name, group.name].filter(Boolean).join(':');

interface Rights {
  /** Real, effective, saved, of the file system. */
  readonly uids: readonly number[];
  readonly gids: readonly number[];
  readonly permitted: number;
  readonly hasNoNewPrivileges: boolean;
}

/** Empty where /proc is not that of this PID namespace. */
async function threads(): Promise<string[]> {
  const all: string[] = await readdir(TASKS).catch(() => []);
  return all.includes(String(process.pid)) ? all : [];
}

/** Null: the thread has ended, or there is no /proc. */
async function readRights(file: string): Promise<Rights | null> {
  const text = await readFile(file, 'utf8').catch(() => '');
  if (text === '') return null;
  const of = (key: string) => new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(text)?.[1] ?? '';
  const numbers = (key: string) => of(key).split(/\s+/).map(Number);
  return {
    uids: numbers('Uid'),
    gids: numbers('Gid'),
    permitted: maskIn(text, 'CapPrm'),
    hasNoNewPrivileges: of('NoNewPrivs') === '1',
  };
}

function faultOf(rights: Rights, { user, group }: Identity, most: number): string | null {
  if (rights.uids.some((uid) => uid !== user.uid)) return 'is another user';
  if (rights.gids.some((gid) => gid !== group.gid)) return 'has another group';
  if ((rights.permitted & ~most) !== 0) return 'has capabilities that nothing needs';
  return rights.hasNoNewPrivileges ? null : 'may gain privileges';
}
