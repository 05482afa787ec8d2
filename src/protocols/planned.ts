/** Recognizers for the protocols of a Plan: built-ins by id, custom ones by their configured signature. */
import type { FailureFields } from '../base/failure.js';
import type { PlanForm, PlanProtocol } from '../model/plan.js';
import type { Signature, Transport } from '../model/protocol.js';
import { type NamedRecognizer, protocolById, recognizerOf } from './index.js';
import { type Asking, loadValidator } from './validator.js';

/** How streams and datagrams of one protocol are recognised; null: they are not. */
export interface LoadedProtocol extends Readonly<Record<Transport, NamedRecognizer | null>> {
  readonly id: string;
}

/** Rejects when the validator can not be loaded; `failed` reports later failures of the validator. */
export async function loadProtocol(
  protocol: PlanProtocol,
  failed: (failure: FailureFields) => void,
  asking?: Asking,
): Promise<LoadedProtocol> {
  const { signature, validator } = protocol;
  const confirm = validator === null ? undefined : await loadValidator(validator, failed, asking);
  return signature === null ? loadedBuiltIn(protocol) : loaded(protocol, confirm);
}

function loaded(protocol: PlanProtocol, confirm?: NamedRecognizer['confirm']): LoadedProtocol {
  const over = (transport: Transport) =>
    formOf(protocol, transport) && recognizerOver(protocol, transport, confirm);
  return { id: protocol.id, tcp: over('tcp'), udp: over('udp') };
}

/** Those of one Plan are those of the next: sessions keep their Plans. */
const builtIns = new Map<string, LoadedProtocol>();

function loadedBuiltIn(protocol: PlanProtocol): LoadedProtocol {
  const { id, stream, datagram } = protocol;
  const key = `${id} ${stream !== null} ${datagram !== null}`;
  const found = builtIns.get(key) ?? loaded(protocol);
  builtIns.set(key, found);
  return found;
}

/** Of a custom protocol. All of a datagram has arrived: `maxBytes` bounds its length. */
export const signatureOver = (signature: Signature, transport: Transport): Signature =>
  transport === 'tcp' || signature.maxBytes === undefined
    ? signature
    : { ...signature, checks: [...(signature.checks ?? []), `total <= ${signature.maxBytes}`] };

export const formOf = (
  { stream, datagram }: Pick<PlanProtocol, 'stream' | 'datagram'>,
  transport: Transport,
): PlanForm | null => (transport === 'udp' ? datagram : stream);

function recognizerOver(
  { id, signature }: PlanProtocol,
  transport: Transport,
  confirm: NamedRecognizer['confirm'],
): NamedRecognizer {
  const builtIn = protocolById(id);
  const known = builtIn === undefined ? null : recognizerOf(builtIn, transport);
  if (signature === null) {
    if (known === null) throw new Error(`protocol ${id} has no signature`);
    return known;
  }
  // A built-in's confirmation relies on its own signature, so it is not used with a custom one under the same id.
  const own = signatureOver(signature, transport);
  return { id, signature: own, ...(confirm && { confirm }), ...(known?.facts && { facts: known.facts }) };
}

/** Candidate order of a listener: accepted protocols in rank order, then all others, which only name a session. */
export function orderOf(
  accepted: readonly number[],
  protocols: readonly Pick<PlanProtocol, 'stream' | 'datagram'>[],
  transport: Transport,
): number[] {
  const others = [...protocols.keys()].filter(
    (index) => formOf(protocols[index] as PlanProtocol, transport) !== null && !accepted.includes(index),
  );
  return [...accepted, ...others];
}
