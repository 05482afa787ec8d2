/** An authority of the tests' own, with openssl. */
import { readFileSync } from 'node:fs';
import { runProgram } from './process.js';
import { type TempFolder, tempFolder } from './temp.js';

export const authorityTools = ['openssl'] as const;

/** A certificate with its key, as PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

async function openssl(folder: string, ...args: string[]): Promise<void> {
  const { status, stderr } = await runProgram('openssl', args, { cwd: folder });
  if (status !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
}

/** Signs certificates. */
export class Authority {
  readonly #folder: TempFolder = tempFolder();

  static async create(): Promise<Authority> {
    const authority = new Authority();
    const files = ['-keyout', 'ca.key', '-out', 'ca.pem'];
    await openssl(authority.folder, 'req', '-x509', ...KEY, ...files, '-subj', '/CN=an authority');
    return authority;
  }

  get folder(): string {
    return this.#folder.path;
  }

  /** File of its own certificate. */
  get file(): string {
    return `${this.folder}/ca.pem`;
  }

  /** `names`: `DNS:proxy.test,IP:127.0.0.1`; `days` from now on, or ago when it has expired. */
  async identity(names: string, days = 30, subject = '/CN=a server'): Promise<Identity> {
    const { folder } = this;
    const extensions = ['-subj', subject, '-addext', `subjectAltName=${names}`];
    await openssl(folder, 'req', '-new', ...KEY, '-keyout', 'key.pem', '-out', 'csr.pem', ...extensions);
    const signed = ['-in', 'csr.pem', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-out', 'cert.pem'];
    await openssl(folder, 'x509', '-req', ...signed, '-days', `${days}`, '-copy_extensions', 'copy');
    return {
      cert: readFileSync(`${folder}/cert.pem`, 'utf8'),
      key: readFileSync(`${folder}/key.pem`, 'utf8'),
    };
  }

  remove(): void {
    this.#folder.remove();
  }
}
