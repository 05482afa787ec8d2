/** The proxy for CONNECT and SOCKS as a Plan has it, prepared for use. */
import { createNetworkSet, UNIX_PEERS } from '../base/network.js';
import { ownAddresses } from '../base/own-addresses.js';
import { createOwnTest } from '../forward-proxy/own-listeners.js';
import { Policy } from '../forward-proxy/policy.js';
import { type UserTable, userTable } from '../forward-proxy/users/index.js';
import type { PlanConnectProxy } from '../model/connect-proxy.js';
import type { PlanListener } from '../model/plan.js';
import { takesConnections } from '../model/transports.js';

export interface ForwardProxy {
  readonly plan: PlanConnectProxy;
  readonly policy: Policy;
  /** Null: nobody is asked who he is. */
  readonly users: UserTable | null;
  /** Whether a client with this address is served; it is empty on Unix sockets. */
  readonly serves: (source: string) => boolean;
  /** Longest time that the addresses of a name are remembered. */
  readonly keepMsMax: number;
}

export function prepareProxy(
  plan: PlanConnectProxy,
  listeners: readonly Pick<PlanListener, 'address' | 'transport'>[],
  keepMsMax: number,
): ForwardProxy {
  const addresses = listeners.filter(takesConnections).map(({ address }) => address);
  const isOwn = createOwnTest(addresses, () => ownAddresses().map(({ address }) => address));
  return {
    plan,
    policy: new Policy(plan, isOwn),
    users: plan.users === null ? null : userTable(plan.users),
    serves: servesFrom(plan.allowFrom),
    keepMsMax,
  };
}

function servesFrom(allowFrom: readonly string[]): (source: string) => boolean {
  if (allowFrom.length === 0) return () => true;
  const isListed = createNetworkSet(allowFrom);
  const unix = allowFrom.includes(UNIX_PEERS);
  return (source) => (source === '' ? unix : isListed(source));
}
