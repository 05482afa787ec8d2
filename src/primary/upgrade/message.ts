/**
 * The hand-over between two processes (upgrade in place): its messages, each a packet of JSON, some with descriptors.
 *
 *   new   hello                  the format that it speaks
 *   old   hello, sockets …, totals …, handed
 *   new   ready                  every worker accepts; or failed
 *   old   totals …, yours        it has stopped answering on the monitoring ports; now it drains. Or called_off
 *   old   totals …               once a second and at its end, until it closes
 *
 * Everything goes by address or name: the processes may have other versions and configurations.
 */
import type { NamedRow } from '../../model/named-row.js';
import type { Membership } from '../cluster.js';
import type { SocketGroup } from '../socket-group.js';
import type { InheritedGroup } from '../sockets.js';

/** Changes with every change of a message that a reader of the old format would misunderstand. */
export const HANDOVER_FORMAT = 1;

/** A group of listening sockets; its descriptors travel with the message. */
export interface HandedGroup extends Omit<SocketGroup, 'sockets' | 'retiring'> {
  /** Of the listener or the server. */
  readonly name: string;
  readonly use: InheritedGroup['use'];
}

export type Message =
  | { readonly type: 'hello'; readonly format: number; readonly version: string }
  /** Descriptors of one group; one with many comes in several messages. */
  | { readonly type: 'sockets'; readonly group: HandedGroup }
  /** Rows that are new or have changed, with their totals of now. */
  | { readonly type: 'totals'; readonly rows: readonly NamedRow[] }
  /** Everything has been sent that the new process starts with. Older versions say no membership. */
  | { readonly type: 'handed'; readonly membership?: Membership }
  | { readonly type: 'ready' }
  /** The new process can not start. */
  | { readonly type: 'failed'; readonly error: string }
  /** With the standard error of the old process: until then the new one's is a pipe to it. */
  | { readonly type: 'yours' }
  /** The old process goes on alone. */
  | { readonly type: 'called_off' };

export type MessageType = Message['type'];

const types: ReadonlySet<string> = new Set<MessageType>([
  'hello',
  'sockets',
  'totals',
  'handed',
  'ready',
  'failed',
  'yours',
  'called_off',
]);

/** Null: not a message of this format, or of a type that it does not have. */
export function messageFrom(bytes: Uint8Array): Message | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    const isMessage = typeof value === 'object' && value !== null && 'type' in value;
    return isMessage && types.has(String(value.type)) ? (value as Message) : null;
  } catch {
    return null;
  }
}
