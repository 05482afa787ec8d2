/**
 * Writes who is banned to a file, one address or IPv6 /64 a line, for nftables or fail2ban. The file is replaced as
 * a whole. One write at a time; of those that wait the newest.
 */
import { replaceFile } from '../../base/replace-file.js';

/** Others than the daemon's user may read it, and a power cut ends the bans, too. */
const WRITTEN = { mode: 0o644, isSynced: false } as const;

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
      const error = await replaceFile(path, text, WRITTEN);
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
