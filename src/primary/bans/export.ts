/**
 * Writes who is banned to a file, one address or IPv6 /64 a line, for nftables or fail2ban. A reader sees the old file or
 * the new one, never a part: it is written beside it and renamed. One write at a time; of those that wait the newest.
 */
import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Others than the daemon's user may read it. */
const MODE = 0o644;

/** Errors are told once, until a write succeeds. Whoever writes the same again tries again. */
export type Tell = (path: string, error: string | null) => void;

export class BanExport {
  readonly #tell: Tell;
  #path: string | null = null;
  /** What is to be written next; null: nothing. */
  #next: string | null = null;
  /** What the file has; null: unknown. */
  #written: string | null = null;
  #isWriting = false as boolean;
  #hasFailed = false as boolean;

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  /** The last write has. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  get isOn(): boolean {
    return this.#path !== null;
  }

  /** Null: nowhere, from now on. A file that was written before stays as it is. */
  to(path: string | null): void {
    if (path === this.#path) return;
    this.#path = path;
    this.#next = null;
    this.#written = null;
    this.#hasFailed = false;
  }

  /** No effect when the file has them already. */
  write(addresses: readonly string[]): void {
    if (this.#path === null) return;
    this.#next = addresses.map((address) => `${address}\n`).join('');
    if (!this.#isWriting) void this.#writeNext();
  }

  async #writeNext(): Promise<void> {
    this.#isWriting = true;
    while (this.#next !== null && this.#path !== null) {
      const [text, path] = [this.#next, this.#path];
      this.#next = null;
      if (text === this.#written) continue;
      const error = await replaceFile(path, text);
      if (path === this.#path) this.#written = error === null ? text : null;
      this.#told(path, error);
    }
    this.#isWriting = false;
  }

  #told(path: string, error: string | null): void {
    if (path !== this.#path || (error !== null) === this.#hasFailed) return;
    this.#hasFailed = error !== null;
    this.#tell(path, error);
  }
}

/** What went wrong; null: nothing. */
async function replaceFile(path: string, text: string): Promise<string | null> {
  const beside = `${path}.${process.pid}.tmp`;
  try {
    await rm(beside, { force: true });
    // A link that somebody has put there is not followed.
    await writeFile(beside, text, { flag: 'wx', mode: MODE });
    await rename(beside, path);
    return null;
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {});
    return wordsOf(error as NodeJS.ErrnoException, path);
  }
}

/** What to mend: the file beside, which the message of the system names, is nobody's concern. */
function wordsOf({ code, message }: NodeJS.ErrnoException, path: string): string {
  const folder = dirname(path);
  if (code === 'ENOENT') return `there is no folder ${folder}: make it, writable for this user`;
  if (code === 'ENOTDIR') return `${folder} is no folder`;
  if (code === 'EACCES' || code === 'EPERM') return `this user may not write to the folder ${folder}`;
  return code === 'EISDIR' ? 'it is a folder: name a file' : message;
}
