import type { Accounts } from '../accounts.js';
import type { FileKind, SecretFile, TextFile, WrittenAs } from '../file-kind.js';
import type { Kernel } from '../kernel.js';
import type { Right, Subject } from '../rights.js';

/** Facts about the machine that validation needs, passed as data so that tests can vary them. */
export interface Context {
  /** Base of relative module paths. */
  readonly directory: string;
  fileKind(path: string): FileKind;
  /** Why it can not be read as a list of networks; null: it can, as far as can be seen from outside. */
  listFault(path: string): string | null;
  /** Why a file of ours can not be written there; null: it can, as far as can be seen from outside. `writer`: a uid; null: ours. */
  writeFault(path: string, as: WrittenAs, writer: number | null): string | null;
  /** A private key. */
  keyFile(path: string): SecretFile;
  /** Users of the proxy. */
  usersFile(path: string): SecretFile;
  /** PEM of authorities. */
  authorities(path: string): TextFile;
  /** Endpoints. */
  targetFile(path: string): TextFile;
  /** Why it can not be run as a program; null: it can. */
  programFault(path: string): string | null;
  /** CPUs available to this process: the value of `auto`. */
  readonly cores: number;
  /** Addresses of this machine, excluding loopback. */
  readonly addresses: readonly string[];
  readonly hostName: string;
  /** Date and time, in ms since the epoch. */
  readonly nowMs: number;
  readonly kernel: Kernel;
  readonly accounts: Accounts;
  /** By owner and permissions. */
  mayUse(path: string, right: Right, subject: Subject): boolean;
  /** Functions of the embedding program that stand for modules (src/base/user-module.ts). */
  readonly local?: readonly string[];
}
