/**
 * Where clients may go. A name is judged before it is looked up, and every address it has before one of them is dialled;
 * what is dialled is what has been judged.
 */
import { isIP } from 'node:net';
import { createNameTest } from '../base/host-pattern.js';
import { addressNumber, holdsNetwork, networkPrefix, type Prefix, plainAddress } from '../base/network.js';
import { ANY_DESTINATION, type ConnectProxyPolicy, type DestinationRule } from '../model/connect-proxy.js';
import { embeddedIpv4, specialRangeOf } from './address-classes.js';
import type { Destination } from './destination.js';
import { type Refused, refuse } from './refusals.js';

/** Null: it may be dialled, or looked up. */
export type Judgement = Refused | null;

interface Rule {
  readonly matchesName: (host: string) => boolean;
  readonly network: Prefix | null;
  readonly hasPort: (port: number) => boolean;
}

export class Policy {
  readonly #allow: readonly Rule[];
  readonly #deny: readonly Rule[];
  readonly #isOwn: (address: string, port: number) => boolean;

  /** `isOwn`: whether this process would take the connection. */
  constructor(
    { allow, deny, ports }: Pick<ConnectProxyPolicy, 'allow' | 'deny' | 'ports'>,
    isOwn: (address: string, port: number) => boolean,
  ) {
    const anywhere: DestinationRule = { name: ANY_DESTINATION, network: null, ports };
    this.#allow = (allow.length === 0 ? [anywhere] : allow).map(ruleOf);
    this.#deny = deny.map(ruleOf);
    this.#isOwn = isOwn;
  }

  /** Of an address, all there is to judge; of a name, whether any rule may let it pass. */
  judgeHost({ host, port }: Destination): Judgement {
    if (isIP(host) !== 0) return this.judgeAddresses({ host, port }, [host]);
    if (this.#deny.some((rule) => rule.hasPort(port) && rule.matchesName(host)))
      return refuse('destination', `${host} is denied`);
    const allowed = this.#allow.filter((rule) => rule.matchesName(host) || rule.network !== null);
    if (allowed.length === 0) return refuse('destination', `${host} is not allowed`);
    if (!allowed.some((rule) => rule.hasPort(port)))
      return refuse('destination', `port ${port} is not allowed`);
    return null;
  }

  /** Of the addresses of a host that has been judged: one that may not be dialled refuses them all. */
  judgeAddresses({ host, port }: Destination, addresses: readonly string[]): Judgement {
    const allow = this.#allow.filter((rule) => rule.hasPort(port));
    if (allow.length === 0) return refuse('destination', `port ${port} is not allowed`);
    const deny = this.#deny.filter((rule) => rule.hasPort(port));
    // Of an address no name is denied but that for any destination.
    if (deny.some((rule) => rule.matchesName(host))) return refuse('destination', `${host} is denied`);
    const isNamed = allow.some((rule) => rule.matchesName(host));
    for (const address of addresses.map(plainAddress)) {
      const fault = this.#isOwn(address, port)
        ? 'leads back to this proxy'
        : faultOf([address, ...embeddedIpv4(address)], allow, deny, isNamed);
      if (fault !== null) return refuse('destination', `${host} ${fault}`);
    }
    return null;
  }
}

function ruleOf({ name, network, ports }: DestinationRule): Rule {
  return {
    matchesName: name === null ? () => false : nameTest(name),
    network: network === null ? null : networkPrefix(network),
    hasPort: (port) => ports === 'any' || ports.some(({ first, last }) => first <= port && port <= last),
  };
}

/** An address is no name, but any destination may be meant. */
function nameTest(pattern: string): Rule['matchesName'] {
  return pattern === ANY_DESTINATION ? () => true : createNameTest(pattern);
}

/** `forms`: the address, and IPv4 addresses within it. `isNamed`: a rule allows the host by its name. */
function faultOf(
  forms: readonly string[],
  allow: readonly Rule[],
  deny: readonly Rule[],
  isNamed: boolean,
): string | null {
  if (deny.some(({ network }) => network !== null && forms.some((form) => holds(network, form))))
    return 'is denied';
  const networks = allow.flatMap(({ network }) => network ?? []);
  for (const form of forms) {
    const range = specialRangeOf(form);
    const isOpen = (network: Prefix) =>
      holdsNetwork(range?.prefix ?? network, network) && holds(network, form);
    if (range !== null && !networks.some(isOpen))
      return `leads to ${range.what} address, which is not allowed`;
  }
  const isListed = forms.some((form) => networks.some((network) => holds(network, form)));
  return isNamed || isListed ? null : 'is not allowed';
}

function holds(network: Prefix, address: string): boolean {
  const family = address.includes(':') ? 'ipv6' : 'ipv4';
  return family === network.family && addressNumber(address, family) >> network.rest === network.value;
}
