/** A protocol of a Plan as the configuration's compiler would make it. */
import type { PlanProtocol } from '../../src/model/plan.js';
import { compileAutomaton } from '../../src/protocols/compile.js';
import { protocolById } from '../../src/protocols/index.js';

export function planned(protocol: Pick<PlanProtocol, 'name' | 'id'> & Partial<PlanProtocol>): PlanProtocol {
  const { id, signature = null } = protocol;
  const automaton = compileAutomaton({ id, signature: signature ?? protocolById(id)?.signature ?? {} });
  return { signature: null, validator: null, automaton, ...protocol };
}
