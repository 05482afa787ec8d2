/** An address that answers no SYN, because its backlog is full, until somebody serves there. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { native } from '../../src/addon.js';
import type { InetAddress } from '../../src/model/address.js';

export interface Silent extends InetAddress {
  /** From now on there is place for connections; a SYN is sent again within a second or so. */
  serve(handle: (socket: Socket) => void): Server;
  close(): void;
}

export async function listenSilently(host = '127.0.0.1'): Promise<Silent> {
  const fd = native.listen({ host, port: 0 }, { reusePort: false, backlog: 0 });
  const { port } = native.localAddress(fd) as InetAddress;
  const first = connect(port, host).on('error', () => {});
  await once(first, 'connect');
  let server: Server | undefined;
  return {
    host,
    port,
    serve(handle) {
      server = createServer({ allowHalfOpen: true }, (socket) => handle(socket.on('error', () => {})));
      return server.listen({ fd });
    },
    close() {
      first.destroy();
      if (server === undefined) native.closeFd(fd);
      else server.close();
    },
  };
}
