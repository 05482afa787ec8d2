/** Receive buffers of datagram sockets: as large as configured, or as the kernel lets this process have them. */
import type { Native } from '../addon.js';
import { bytesText } from '../base/figures.js';
import type { Logger } from '../base/log.js';
import { allOf, type SocketGroup, transportOf } from './socket-group.js';

export class ReceiveBuffers {
  readonly #set: Native['setReceiveBuffer'];
  readonly #log: Pick<Logger, 'warn'>;
  /** What was said last: wanted and given bytes. */
  #said = '';

  constructor(set: Native['setReceiveBuffer'], log: Pick<Logger, 'warn'>) {
    this.#set = set;
    this.#log = log;
  }

  fit(groups: readonly SocketGroup[], wanted: number): void {
    const sockets = groups.filter((group) => transportOf(group) === 'udp').flatMap(allOf);
    const given = Math.min(wanted, ...sockets.map(({ fd }) => this.#set(fd, wanted)));
    const saying = `${wanted} ${given}`;
    if (given >= wanted || saying === this.#said) return;
    this.#said = saying;
    this.#log.warn(
      { receive_buffer: wanted, given },
      `the kernel gives datagram sockets ${bytesText(given)} of receive buffer instead of ${bytesText(wanted)}: ` +
        `raise it by \`sysctl -w net.core.rmem_max=${wanted}\`, give CAP_NET_ADMIN, or lower server.udp.receive_buffer`,
    );
  }
}
