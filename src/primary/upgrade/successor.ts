/**
 * Upgrade in place, as the old process: hands sockets and totals to the new one, waits until it accepts, and tells it the
 * totals until the end.
 */
import type { NamedRow } from '../../model/named-row.js';
import type { Membership } from '../cluster.js';
import type { InheritedGroup } from '../sockets.js';
import { Channel, type PacketCalls, totalsMessages } from './channel.js';
import { HANDOVER_FORMAT, type Message } from './message.js';
import { formatFault } from './predecessor.js';

/** What the old process has to hand over. */
export interface Estate {
  readonly version: string;
  /** All listening sockets. */
  readonly groups: readonly Omit<InheritedGroup, 'isNamed'>[];
  /** As which node of a cluster it goes on. */
  readonly membership: Membership;
  /** Rows that have changed since the last call. */
  totals(): readonly NamedRow[];
}

export interface SuccessorEvents {
  /** It accepts on every socket that it wants. */
  ready(): void;
  failed(why: string): void;
  /** It has closed its end. */
  left(): void;
}

const STDERR = 2;

export class Successor {
  readonly #estate: Estate;
  readonly #events: SuccessorEvents;
  readonly #calls: PacketCalls;
  readonly #channel: Channel;
  #isCommitted = false as boolean;

  /** `fd`: this process's end of the pair. */
  constructor(fd: number, estate: Estate, events: SuccessorEvents, calls: PacketCalls) {
    this.#estate = estate;
    this.#events = events;
    this.#calls = calls;
    const heard = (message: Message, descriptors: readonly number[]) => {
      for (const each of descriptors) calls.closeFd(each);
      this.#heard(message);
    };
    this.#channel = new Channel(fd, { heard, closed: (fault) => this.#closed(fault) }, calls);
  }

  /** Makes it the daemon. From now on this process only tells its totals. */
  commit(): void {
    this.#isCommitted = true;
    this.#tellTotals();
    this.#channel.send({ type: 'yours' }, [STDERR]);
  }

  /** Tells the totals that have changed, unless the last ones are still on their way. */
  tell(): void {
    if (this.#channel.isIdle) this.#tellTotals();
  }

  /** Tells the last totals; resolves when they are sent. */
  async end(): Promise<void> {
    this.#tellTotals();
    await this.#channel.sent();
    this.#channel.close();
  }

  /** This process goes on alone. */
  callOff(): void {
    this.#channel.send({ type: 'called_off' });
    this.#channel.close();
  }

  #heard(message: Message): void {
    if (this.#isCommitted) return;
    if (message.type === 'hello') this.#greeted(message);
    else if (message.type === 'ready') this.#events.ready();
    else if (message.type === 'failed') this.#events.failed(message.error);
  }

  #greeted(hello: Extract<Message, { type: 'hello' }>): void {
    const { version, groups, membership } = this.#estate;
    this.#channel.send({ type: 'hello', format: HANDOVER_FORMAT, version });
    if (hello.format !== HANDOVER_FORMAT) return this.#events.failed(formatFault(hello));
    for (const each of groups) this.#hand(each);
    this.#tellTotals();
    this.#channel.send({ type: 'handed', membership });
  }

  #hand({ name, use, group: { sockets, retiring, ...rest } }: Estate['groups'][number]): void {
    const fds = [...sockets, ...retiring].map(({ fd }) => fd);
    const most = this.#calls.packetDescriptorsMax;
    for (let from = 0; from < fds.length; from += most)
      this.#channel.send({ type: 'sockets', group: { name, use, ...rest } }, fds.slice(from, from + most));
  }

  #tellTotals(): void {
    if (!this.#channel.isOpen) return;
    const messages = totalsMessages(this.#estate.totals(), this.#calls.packetBytesMax);
    for (const message of messages) this.#channel.send(message);
  }

  #closed(fault: string | null): void {
    if (this.#isCommitted) return;
    if (fault === null) this.#events.left();
    else this.#events.failed(fault);
  }
}
