/** The proxy for CONNECT and SOCKS as a Plan has it, prepared for use. */
import { createNetworkSet, UNIX_PEERS } from '../base/network.js';
import { ownAddresses } from '../base/own-addresses.js';
import { createOwnTest } from '../forward-proxy/own-listeners.js';
import { Policy } from '../forward-proxy/policy.js';
import { type UserTable, userTable } from '../forward-proxy/users/index.js';
import type { PlanConnectProxy } from '../model/connect-proxy.js';
import type { OwnAddress } from '../model/message.js';
import type { Transport } from '../model/protocol.js';

export interface ForwardProxy {
  readonly plan: PlanConnectProxy;
  /** Where this process listens is not the same for both. */
  readonly policies: Readonly<Record<Transport, Policy>>;
  /** Null: nobody is asked who he is. */
  readonly users: UserTable | null;
  /** Whether a client with this address is served; it is empty on Unix sockets. */
  readonly serves: (source: string) => boolean;
  /** Longest time that the addresses of a name are remembered. */
  readonly keepMsMax: number;
}

/** `own`: where this process listens. */
export function prepareProxy(
  plan: PlanConnectProxy,
  own: readonly OwnAddress[],
  keepMsMax: number,
): ForwardProxy {
  const policyOver = (wanted: Transport): Policy => {
    const addresses = own.filter(({ transport }) => transport === wanted).map(({ address }) => address);
    return new Policy(
      plan,
      createOwnTest(addresses, () => ownAddresses().map(({ address }) => address)),
    );
  };
  return {
    plan,
    policies: { tcp: policyOver('tcp'), udp: policyOver('udp') },
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
