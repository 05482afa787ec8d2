/** The addresses of this machine's network interfaces. */
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

/** Empty where the system call is denied (some containers). */
export function ownAddresses(): NetworkInterfaceInfo[] {
  try {
    return Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  } catch {
    return [];
  }
}
