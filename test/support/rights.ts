/** Users, capabilities and low ports of daemons under test. */
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { expect } from 'vitest';

/** Numbers that no account has. */
export const UID = 43_210;
export const GID = 43_211;

export const CAP_NET_BIND_SERVICE = 0x400n;
export const CAP_NET_ADMIN = 0x1000n;
export const CAP_NET_RAW = 0x2000n;

export async function lowPort(): Promise<number> {
  for (let tried = 0; tried < 400; tried += 1) {
    const port = randomInt(600, 1024);
    const server = createServer();
    const isFree = await new Promise<boolean>((done) => {
      server.once('error', () => done(false)).listen(port, '127.0.0.1', () => done(true));
    });
    await new Promise((done) => server.close(done));
    if (isFree) return port;
  }
  throw new Error('no free port below 1024');
}

interface Thread {
  readonly uids: readonly string[];
  readonly gids: readonly string[];
  readonly groups: string;
  readonly capabilities: bigint;
  readonly noNewPrivileges: string;
}

function threadsOf(pid: number): Thread[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((id) => {
    const text = textOf(`/proc/${pid}/task/${id}/status`);
    if (text === null) return [];
    const of = (key: string) => new RegExp(`^${key}:[ \\t]*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
    const sets = ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'].map((key) => BigInt(`0x${of(key)}`));
    return {
      uids: [...new Set(of('Uid').split(/\s+/))],
      gids: [...new Set(of('Gid').split(/\s+/))],
      groups: of('Groups'),
      capabilities: sets.reduce((all, each) => all | each, 0n),
      noNewPrivileges: of('NoNewPrivs'),
    };
  });
}

/** Null: the thread has ended. */
function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** Every thread is this user, with these capabilities at most; one of them has them. */
export function expectDropped(
  pid: number,
  capabilities = 0n,
  [uid, gid] = [UID, GID],
  groups = `${gid}`,
): void {
  const threads = threadsOf(pid);
  expect(threads.length).toBeGreaterThan(8); // the main one, V8's, libuv's, workers
  for (const thread of threads) {
    expect(thread).toMatchObject({ uids: [`${uid}`], gids: [`${gid}`], groups, noNewPrivileges: '1' });
    expect(thread.capabilities & ~capabilities).toBe(0n);
  }
  expect(threads.reduce((all, thread) => all | thread.capabilities, 0n)).toBe(capabilities);
}
