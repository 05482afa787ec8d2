/** Recognizers for the protocols of a Plan: built-ins by id, custom ones by their configured signature. */
import type { FailureFields } from '../base/failure.js';
import type { PlanProtocol } from '../model/plan.js';
import { type NamedRecognizer, protocolById } from './index.js';
import { type Asking, loadValidator } from './validator.js';

/** Rejects when the validator can not be loaded; `failed` reports later failures of the validator. */
export async function loadRecognizer(
  { id, signature, validator }: PlanProtocol,
  failed: (failure: FailureFields) => void,
  asking?: Asking,
): Promise<NamedRecognizer> {
  const builtIn = protocolById(id);
  if (signature === null) {
    if (builtIn === undefined) throw new Error(`protocol ${id} has no signature`);
    return builtIn;
  }
  // A built-in's confirmation relies on its own signature, so it is not used with a custom one under the same id.
  const confirm = validator === null ? undefined : await loadValidator(validator, failed, asking);
  return { id, signature, ...(confirm && { confirm }), ...(builtIn?.facts && { facts: builtIn.facts }) };
}

/** Candidate order of a listener: accepted protocols in rank order, then all others, which only name a session. */
export function orderOf(accepted: readonly number[], protocols: number): number[] {
  const others = Array.from({ length: protocols }, (_, index) => index).filter(
    (index) => !accepted.includes(index),
  );
  return [...accepted, ...others];
}
