/**
 * Sockets for servers of the primary (monitoring, control interface) that this process has not opened: each is taken by
 * the server with its address, or with its name.
 */
import type { ListenAddress } from '../model/config.js';
import { type SocketCalls, transportOf } from './socket-group.js';
import { type InheritedGroup, isSameAddress } from './sockets.js';

export class InheritedServers {
  #groups: readonly InheritedGroup[];

  constructor(groups: readonly InheritedGroup[]) {
    this.#groups = groups.filter(({ use }) => use !== 'listener');
  }

  /** `names`: the server's, for sockets that go by name. Null: there is none, it opens its own. */
  take(address: ListenAddress, names: readonly string[]): InheritedGroup | null {
    const streams = this.#groups.filter(({ group }) => transportOf(group) === 'tcp');
    const found =
      streams.find(({ group }) => isSameAddress(group.address, address)) ??
      streams.find(({ name, isNamed }) => isNamed && names.includes(name));
    this.#groups = this.#groups.filter((each) => each !== found);
    return found ?? null;
  }

  /** Those that nothing has taken. */
  get rest(): readonly InheritedGroup[] {
    return this.#groups;
  }

  closeRest(calls: Pick<SocketCalls, 'closeFd'>): void {
    for (const { group } of this.#groups) for (const { fd } of group.sockets) calls.closeFd(fd);
    this.#groups = [];
  }
}
