/** Which destinations lead back to this daemon: through it a client would come from the machine's own address. */
import { isIPv4 } from 'node:net';
import { parseListen } from '../base/address.js';
import type { AddressText } from '../model/session.js';

/** `listeners`: addresses as bound, those of the control interface and of monitoring, too. `machine`: addresses of its interfaces now, asked for only where a port is ours. */
export function createOwnTest(
  listeners: readonly AddressText[],
  machine: () => readonly string[],
): (address: string, port: number) => boolean {
  const own = listeners.flatMap((text) => parseListen(text) ?? []).filter((each) => each.kind === 'inet');
  return (address, port) => {
    const hosts = own.filter((each) => each.port === port).map(({ host }) => host);
    if (hosts.length === 0 || !isLocal(address, machine)) return false;
    return hosts.some((host) => host === address || host === '::' || (host === '0.0.0.0' && isIPv4(address)));
  };
}

/** To connect to an unspecified address is to connect to this machine. */
function isLocal(address: string, machine: () => readonly string[]): boolean {
  const isLoopback = address.startsWith('127.') || address === '::1';
  return isLoopback || address === '0.0.0.0' || address === '::' || machine().includes(address);
}
