/** The protocols of a Plan as a listener tells them: built-ins by their id, custom ones as the configuration says. */
import type { FailureFields } from '../base/failure.js';
import type { PlanProtocol } from '../model/plan.js';
import { type NamedRecognizer, protocolById } from './index.js';
import { type AskingThread, loadValidator } from './validator.js';

/** Rejects when the validator can not be loaded; `failed` is told of each failure of one that was. */
export async function loadRecognizer(
  { id, signature, validator }: PlanProtocol,
  failed: (failure: FailureFields) => void,
  thread?: AskingThread,
): Promise<NamedRecognizer> {
  const builtIn = protocolById(id);
  if (signature === null) {
    if (builtIn === undefined) throw new Error(`protocol ${id} has no signature`);
    return builtIn;
  }
  // What only confirms a built-in's own signature is not asked about another one of the same name.
  const confirm = validator === null ? undefined : await loadValidator(validator, failed, thread);
  return { id, signature, ...(confirm && { confirm }), ...(builtIn?.facts && { facts: builtIn.facts }) };
}

/** The protocols that a listener accepts, best rank first; then all others, which only serve to name a session. */
export function orderOf(accepted: readonly number[], protocols: number): number[] {
  const others = Array.from({ length: protocols }, (_, index) => index).filter(
    (index) => !accepted.includes(index),
  );
  return [...accepted, ...others];
}
