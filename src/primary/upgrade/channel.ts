/** One end of the hand-over: messages with descriptors, in order, over a pair of packet sockets. */
import type { Native, Watcher } from '../../addon.js';
import type { NamedRow } from '../../model/named-row.js';
import { type Message, messageFrom } from './message.js';

export const channelLimits = {
  /** Packets waiting to be sent: 64 MiB of totals. Beyond it the other process does not read, and the channel closes. */
  pendingPacketsMax: 2048,
  /** Packets read before other events of this thread have their turn. */
  packetsPerTurnMax: 32,
} as const;

export type PacketCalls = Pick<
  Native,
  'Watcher' | 'sendPacket' | 'receivePacket' | 'closeFd' | 'packetBytesMax' | 'packetDescriptorsMax'
>;

export interface ChannelEvents {
  /** The receiver owns the descriptors. */
  heard(message: Message, descriptors: readonly number[]): void;
  /** Called once, unless closed here. `fault`: why it can not go on; null: the other process has closed its end. */
  closed(fault: string | null): void;
}

interface Packet {
  readonly bytes: Uint8Array;
  readonly descriptors: readonly number[];
}

export class Channel {
  readonly #fd: number;
  readonly #events: ChannelEvents;
  readonly #calls: PacketCalls;
  readonly #watcher: Watcher;
  #pending: Packet[] = [];
  #whenSent: (() => void)[] = [];
  #isOpen = true as boolean;

  /** Owns `fd` from now on. */
  constructor(fd: number, events: ChannelEvents, calls: PacketCalls) {
    this.#fd = fd;
    this.#events = events;
    this.#calls = calls;
    this.#watcher = new calls.Watcher(fd, () => this.#turn());
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether everything has been sent. */
  get isIdle(): boolean {
    return this.#pending.length === 0;
  }

  /** The descriptors must stay open until `sent` resolves. */
  send(message: Message, descriptors: readonly number[] = []): void {
    if (!this.#isOpen) return;
    const bytes = Buffer.from(JSON.stringify(message));
    if (bytes.length > this.#calls.packetBytesMax) return this.#fail(`a ${message.type} message is too long`);
    if (this.#pending.length >= channelLimits.pendingPacketsMax)
      return this.#fail('the other process does not read');
    this.#pending.push({ bytes, descriptors });
    this.#sendPending();
  }

  /** Resolves when everything has been sent, or the channel is closed. */
  sent(): Promise<void> {
    if (this.isIdle || !this.#isOpen) return Promise.resolve();
    return new Promise((resolve) => this.#whenSent.push(resolve));
  }

  /** Idempotent. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#watcher.close();
    this.#calls.closeFd(this.#fd);
    this.#pending = [];
    this.#settleSent();
  }

  #turn(): void {
    try {
      for (let read = 0; read < channelLimits.packetsPerTurnMax && this.#isOpen; read += 1) {
        const packet = this.#calls.receivePacket(this.#fd);
        if (packet === undefined) break;
        if (packet === null) return this.#fail(null);
        this.#take(packet);
      }
      this.#sendPending();
    } catch (error) {
      this.#fail((error as Error).message);
    }
  }

  #take({ bytes, descriptors }: Packet): void {
    const message = messageFrom(bytes);
    if (message !== null) return this.#events.heard(message, descriptors);
    for (const fd of descriptors) this.#calls.closeFd(fd);
    this.#fail('it sent what is no message of a hand-over');
  }

  #sendPending(): void {
    if (!this.#isOpen) return;
    try {
      let sent = 0;
      while (sent < this.#pending.length && this.#sends(this.#pending[sent] as Packet)) sent += 1;
      this.#pending.splice(0, sent);
      this.#watcher.await(!this.isIdle);
      if (this.isIdle) this.#settleSent();
    } catch (error) {
      if (isGone(error)) this.#leaveUnsent();
      else this.#fail((error as Error).message);
    }
  }

  /** The other process has closed its end; what it has sent before is still to be read. */
  #leaveUnsent(): void {
    this.#pending = [];
    this.#settleSent();
    this.#watcher.await(false);
  }

  #sends({ bytes, descriptors }: Packet): boolean {
    return this.#calls.sendPacket(this.#fd, bytes, descriptors);
  }

  #settleSent(): void {
    for (const resolve of this.#whenSent.splice(0)) resolve();
  }

  #fail(fault: string | null): void {
    if (!this.#isOpen) return;
    this.close();
    this.#events.closed(fault);
  }
}

const isGone = (error: unknown): boolean =>
  ['EPIPE', 'ECONNRESET'].includes((error as NodeJS.ErrnoException).code ?? '');

/** Rows in messages that fit into a packet each. */
export function totalsMessages(rows: readonly NamedRow[], bytesMax: number): Message[] {
  const messages: Message[] = [];
  let batch: NamedRow[] = [];
  let bytes = 0;
  const flush = () => {
    if (batch.length > 0) messages.push({ type: 'totals', rows: batch });
    batch = [];
    bytes = 0;
  };
  for (const row of rows) {
    const size = Buffer.byteLength(JSON.stringify(row)) + 1;
    if (size > bytesMax - ENVELOPE_BYTES) continue; // names of 10,000 characters
    if (bytes + size > bytesMax - ENVELOPE_BYTES) flush();
    batch.push(row);
    bytes += size;
  }
  flush();
  return messages;
}

/** `{"type":"totals","rows":[]}` and some. */
const ENVELOPE_BYTES = 64;
