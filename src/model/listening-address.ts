import type { AddressText } from './session.js';
import type { ListenerTransport } from './transports.js';

/** Where a listener listens, as bound. */
export interface ListeningAddress {
  readonly name: string;
  readonly address: AddressText;
  readonly transport: ListenerTransport;
}
