/** The addresses of this machine. */
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

/** Those that could be found out: some containers do not say. */
export function ownAddresses(): NetworkInterfaceInfo[] {
  try {
    return Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  } catch {
    return [];
  }
}
