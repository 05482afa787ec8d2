/**
 * Upgrade in place, as the new process: takes the sockets and totals of the process that started it, and follows the
 * totals of that one until it has ended.
 */
import type { Clock } from '../../base/clock.js';
import type { NamedRow } from '../../model/named-row.js';
import type { Membership } from '../cluster.js';
import type { OpenSocket } from '../socket-group.js';
import type { InheritedGroup } from '../sockets.js';
import { StartError } from '../start-error.js';
import { Channel, type PacketCalls } from './channel.js';
import { HANDOVER_FORMAT, type HandedGroup, type Message } from './message.js';

/** The old process has its own, shorter limit; this one ends a new process whose old one hangs. */
export const PREDECESSOR_MS_MAX = 120_000;

export type HandoverCalls = PacketCalls & {
  /** Makes an inherited socket like one of ours; throws for anything else. */
  adopt(fd: number): void;
  adoptUdp(fd: number, options: { readonly receiveBuffer: number }): void;
  socketNumber(fd: number): number;
  /** `target` becomes a duplicate of `fd`. */
  redirect(fd: number, target: number): void;
};

export interface TotalsSink {
  take(rows: readonly NamedRow[]): void;
  /** No more will come. */
  settle(): void;
}

const STDERR = 2;

export class Predecessor {
  readonly #calls: HandoverCalls;
  readonly #clock: Clock;
  readonly #channel: Channel;
  readonly #groups: InheritedGroup[] = [];
  #membership: Membership | undefined;
  #rows: NamedRow[] = [];
  #sink: TotalsSink | null = null;
  readonly #handed = deferred();
  readonly #yours = deferred();
  readonly #ended = deferred();

  /** `fd`: this process's end of the pair. */
  constructor(fd: number, calls: HandoverCalls, clock: Clock) {
    this.#calls = calls;
    this.#clock = clock;
    this.#channel = new Channel(
      fd,
      {
        heard: (message, descriptors) => this.#heard(message, descriptors),
        closed: (fault) => this.#closed(fault),
      },
      calls,
    );
  }

  /** Resolves with the sockets when everything is here to start with. Rejects with a StartError. */
  async greet(version: string): Promise<readonly InheritedGroup[]> {
    this.#channel.send({ type: 'hello', format: HANDOVER_FORMAT, version });
    await this.#inTime(this.#handed.promise);
    return this.#groups;
  }

  /** As which node of a cluster this process goes on; undefined: it is not said. After `greet`. */
  get membership(): Membership | undefined {
    return this.#membership;
  }

  /** Passes on all totals to `sink`, those that came already too. */
  follow(sink: TotalsSink): void {
    this.#sink = sink;
    sink.take(this.#rows);
    this.#rows = [];
    if (!this.#channel.isOpen) sink.settle();
  }

  /** Says that every worker accepts; resolves when this process is the daemon. Rejects with a StartError. */
  async takeOver(): Promise<void> {
    this.#channel.send({ type: 'ready' });
    await this.#inTime(this.#yours.promise);
  }

  /** Says why this process can not start; resolves when that is sent. */
  async fail(error: string): Promise<void> {
    this.#channel.send({ type: 'failed', error });
    await this.#channel.sent();
  }

  /** Resolves when the old process has ended. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  async #inTime(done: Promise<void>): Promise<void> {
    const late = deferred();
    const cancel = this.#clock.after(PREDECESSOR_MS_MAX, () =>
      late.reject(new StartError('the process that is to be replaced does not answer')),
    );
    try {
      await Promise.race([done, late.promise]);
    } finally {
      cancel();
    }
  }

  #heard(message: Message, descriptors: readonly number[]): void {
    switch (message.type) {
      case 'hello':
        if (message.format !== HANDOVER_FORMAT) this.#refuse(formatFault(message));
        break;
      case 'sockets':
        return this.#take(message.group, descriptors);
      case 'totals':
        if (this.#sink) this.#sink.take(message.rows);
        else this.#rows.push(...message.rows);
        break;
      case 'handed':
        this.#membership = message.membership;
        this.#handed.resolve();
        break;
      case 'yours':
        for (const fd of descriptors.slice(0, 1)) this.#calls.redirect(fd, STDERR);
        this.#yours.resolve();
        break;
      case 'called_off':
        this.#refuse('the upgrade was called off');
        break;
      default:
        break;
    }
    for (const fd of descriptors) this.#calls.closeFd(fd);
  }

  #take(handed: HandedGroup, descriptors: readonly number[]): void {
    const { name, use, ...rest } = handed;
    try {
      const index = this.#groups.findIndex((each) => isOf(handed, each));
      const before = this.#groups[index]?.group.sockets ?? [];
      const sockets = [...before, ...descriptors.map((fd) => this.#adopt(fd, handed.transport))];
      // Its file is the old process's until that one has given way.
      const group = { ...rest, sockets, retiring: [], isBorrowed: true };
      const at = index === -1 ? this.#groups.length : index;
      this.#groups[at] = { name, use, group, isNamed: false };
    } catch (error) {
      this.#refuse(`an inherited socket of ${handed.bound} is not usable: ${(error as Error).message}`);
    }
  }

  #adopt(fd: number, transport: HandedGroup['transport']): OpenSocket {
    // The configuration, which says how large its buffer is to be, is not read yet.
    if (transport === 'udp') this.#calls.adoptUdp(fd, { receiveBuffer: 0 });
    else this.#calls.adopt(fd);
    return { socket: this.#calls.socketNumber(fd), fd };
  }

  #refuse(why: string): void {
    const error = new StartError(why);
    this.#handed.reject(error);
    this.#yours.reject(error);
  }

  /** An old process that dies after it has handed everything is replaced all the same. */
  #closed(fault: string | null): void {
    this.#handed.reject(new StartError(fault ?? 'the process that is to be replaced has ended'));
    this.#yours.resolve();
    this.#sink?.settle();
    this.#ended.resolve();
  }
}

const isOf = ({ name, use, bound, transport }: HandedGroup, each: InheritedGroup): boolean =>
  each.name === name && each.use === use && each.group.bound === bound && each.group.transport === transport;

export const formatFault = ({ format, version }: Extract<Message, { type: 'hello' }>): string =>
  `version ${version} hands over in format ${format}, this one in format ${HANDOVER_FORMAT}: restart instead`;

interface Deferred {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

/** Nobody need wait for it. */
function deferred(): Deferred {
  const parts: Partial<Deferred> = {};
  const promise = new Promise<void>((resolve, reject) => Object.assign(parts, { resolve, reject }));
  promise.catch(() => {});
  return Object.assign(parts, { promise }) as Deferred;
}
