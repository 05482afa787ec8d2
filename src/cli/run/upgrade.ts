/**
 * Upgrade in place: starts the program anew, hands it sockets and totals, and gives way once it accepts. Until then
 * nothing changes here, and whatever goes wrong there ends the new process alone.
 */
import type { ChildProcess } from 'node:child_process';
import { native } from '../../addon.js';
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/log.js';
import { type Estate, Successor } from '../../primary/upgrade/successor.js';

export const upgradeLimits = {
  /** From SIGTERM to SIGKILL for a new process that failed: sessions that it has accepted may end. */
  killGraceMs: 2000,
  /** Last bytes of its standard error that are logged. */
  stderrBytesMax: 2000,
  /** From the end of the hand-over or of the process to what is to be told of it: its status, its last words. */
  lastWordsMs: 300,
  /** Interval at which totals are told while this process drains. */
  tellMs: 1000,
} as const;

export interface UpgradeSurroundings {
  readonly log: Logger;
  readonly clock: Clock;
  /** Starts the program with its end of the hand-over. */
  start(fd: number): ChildProcess;
  /** No configuration changes until what it resolves with is called. */
  hold(): Promise<() => void>;
  estate(): Estate;
  /** From the start of the new process until it accepts. */
  timeoutMs(): number;
  /** Last moment of this process as the daemon; `pid`: its successor. */
  giveWay(pid: number): void;
  /** Takes what the new process writes to its standard error. */
  writeError(text: string): void;
}

/** A new process that is starting, or has taken over. */
interface Heir {
  readonly child: ChildProcess;
  readonly successor: Successor;
  stderr: string;
}

export class Upgrade {
  readonly #around: UpgradeSurroundings;
  #heir: Heir | null = null;
  #isUnderWay = false as boolean;
  #isCalledOff = false as boolean;
  #release: () => void = () => {};
  #stopTelling: () => void = () => {};
  #cancelTimeout: () => void = () => {};
  /** A new process that failed and may not have ended yet. */
  #ending: ChildProcess | null = null;
  #isHandedOver = false as boolean;
  #tellHandedOver: () => void = () => {};
  /** Resolves when another process is the daemon: this one drains. */
  readonly handedOver = new Promise<void>((resolve) => {
    this.#tellHandedOver = resolve;
  });

  constructor(around: UpgradeSurroundings) {
    this.#around = around;
  }

  /** Begins an upgrade; else returns why not. */
  begin(): string | null {
    if (this.#isHandedOver) return 'another process has taken over already';
    if (this.#isCalledOff) return 'this process is ending';
    if (this.#isUnderWay) return 'one is under way already';
    this.#isUnderWay = true;
    void this.#begin();
    return null;
  }

  /** This process is told to end: the new one, which accepts nothing alone yet, ends too. */
  callOff(): void {
    this.#isCalledOff = true;
    if (this.#heir) this.#fail(this.#heir, 'this process was told to end');
  }

  /** This process ends: tells the last totals; a new process that failed does not outlive it. */
  async close(): Promise<void> {
    this.callOff();
    this.#stopTelling();
    if (this.#ending && !hasEnded(this.#ending)) this.#ending.kill('SIGKILL');
    await this.#heir?.successor.end();
  }

  async #begin(): Promise<void> {
    this.#release = await this.#around.hold();
    try {
      if (this.#isCalledOff) return this.#goOn();
      this.#heir = this.#start();
    } catch (error) {
      this.#around.log.error({ reason: (error as Error).message }, FAILED);
      this.#goOn();
    }
  }

  #goOn(): void {
    this.#heir = null;
    this.#isUnderWay = false;
    this.#release();
  }

  #tellLater(successor: Successor): void {
    this.#stopTelling = this.#around.clock.after(upgradeLimits.tellMs, () => {
      successor.tell();
      this.#tellLater(successor);
    });
  }

  #start(): Heir {
    const { log, clock, start, estate, timeoutMs } = this.#around;
    const [ours, theirs] = native.packetPair();
    const child = start(theirs);
    native.closeFd(theirs);
    const events = {
      ready: () => this.#commit(heir),
      failed: (why: string) => this.#fail(heir, why),
      left: () =>
        void clock.after(upgradeLimits.lastWordsMs, () => this.#fail(heir, 'it left the hand-over')),
    };
    const heir: Heir = { child, successor: new Successor(ours, estate(), events, native), stderr: '' };
    const limitMs = timeoutMs();
    this.#cancelTimeout = clock.after(limitMs, () =>
      this.#fail(heir, `it was not ready within ${limitMs / 1000} s`),
    );
    child.once('error', ({ message }) => this.#fail(heir, message));
    child.once('exit', (status, signal) => this.#exited(heir, howEnded(status, signal)));
    child.stderr?.on('data', (chunk: Buffer) => this.#heardError(heir, chunk));
    log.info({ successor: child.pid }, 'upgrade: a new process is started');
    return heir;
  }

  #commit(heir: Heir): void {
    if (this.#heir !== heir) return;
    const { log, giveWay } = this.#around;
    const { child, successor } = heir;
    this.#cancelTimeout();
    this.#isHandedOver = true;
    giveWay(child.pid as number);
    successor.commit();
    child.unref();
    this.#tellLater(successor);
    log.info({ successor: child.pid }, 'upgrade: the new process has taken over');
    this.#tellHandedOver();
  }

  #exited(heir: Heir, how: string): void {
    if (this.#isHandedOver) this.#around.log.error({ reason: how }, 'the new process has ended');
    else this.#fail(heir, how);
  }

  #fail(heir: Heir, why: string): void {
    if (this.#heir !== heir || this.#isHandedOver) return;
    const { child, successor } = heir;
    this.#cancelTimeout();
    successor.callOff();
    this.#end(child);
    this.#goOn();
    this.#around.clock.after(upgradeLimits.lastWordsMs, () => {
      const stderr = heir.stderr.trim();
      const fields = { reason: why, successor: child.pid, ...(stderr !== '' && { stderr }) };
      this.#around.log.error(fields, FAILED);
    });
  }

  #end(child: ChildProcess): void {
    if (hasEnded(child)) return;
    this.#ending = child;
    child.kill('SIGTERM');
    const cancel = this.#around.clock.after(upgradeLimits.killGraceMs, () => child.kill('SIGKILL'));
    child.once('exit', cancel);
  }

  #heardError(heir: Heir, chunk: Buffer): void {
    const text = chunk.toString('utf8');
    heir.stderr = (heir.stderr + text).slice(-upgradeLimits.stderrBytesMax);
    this.#around.writeError(text);
  }
}

const hasEnded = ({ pid, exitCode, signalCode }: ChildProcess): boolean =>
  pid === undefined || exitCode !== null || signalCode !== null;

const howEnded = (status: number | null, signal: NodeJS.Signals | null): string =>
  signal === null ? `it ended with status ${status}` : `it was ended by ${signal}`;

const FAILED = 'upgrade failed: this process goes on';
