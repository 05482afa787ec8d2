/** Which destinations are among which. */
import { holdsNetwork, networkPrefix } from '../../base/network.js';
import { ANY_DESTINATION, type DestinationRule } from '../../model/connect-proxy.js';
import { nameExtent } from '../../routing/name-pattern.js';

/** Whether all destinations of `narrow` are among those of `wide`. False where only several together would have them. */
export const covers = (wide: DestinationRule, narrow: DestinationRule): boolean =>
  coversHosts(wide, narrow) && coversPorts(wide.ports, narrow.ports);

function coversHosts(wide: DestinationRule, narrow: DestinationRule): boolean {
  if (wide.name === ANY_DESTINATION) return true;
  if (wide.name !== null)
    return narrow.name !== null && nameExtent(wide.name).includes(nameExtent(narrow.name));
  if (wide.network === null || narrow.network === null) return false;
  return holdsNetwork(networkPrefix(wide.network), networkPrefix(narrow.network));
}

function coversPorts(wide: DestinationRule['ports'], narrow: DestinationRule['ports']): boolean {
  if (wide === 'any') return true;
  if (narrow === 'any') return false;
  return narrow.every(({ first, last }) => wide.some((range) => range.first <= first && last <= range.last));
}
