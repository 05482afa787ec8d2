/**
 * A flow served by an in-process handler: the engine relays it to one of two UDP sockets on loopback that are connected to
 * each other, the handler has the other. Timeouts and accounting are therefore those of any flow.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { describeFailure } from '../base/failure.js';
import type { DatagramHandler, Handler, HandlerSession } from '../handlers/index.js';
import type { HandlerFailure, Served } from './in-process.js';

export interface FlowEnds {
  /** Called at most once, and not after the end of the session; likewise `closed`. */
  readonly failed: (failure: HandlerFailure) => void;
  /** The handler has closed its socket, and what it had sent before has been relayed. */
  readonly closed: () => void;
}

/** `fd` becomes the handler's socket. */
export function serveFlow(
  fd: number,
  handler: Handler,
  session: HandlerSession,
  { failed, closed }: FlowEnds,
): Served {
  let socket: Socket | undefined;
  let isOver = false;
  const end = (tell: () => void): void => {
    if (isOver) return;
    isOver = true;
    tell();
  };
  const fail = (thrown: unknown): void => end(() => failed({ ...describeFailure(thrown), isUrgent: false }));
  const run = async (): Promise<void> => {
    try {
      socket = connectedSocket(fd);
      loseAfterClose(socket);
      socket.on('error', (error) => {
        fail(error);
        closeOnce(socket);
      });
      socket.once('close', () => void twoTurns().then(() => end(closed)));
      await (handler as unknown as DatagramHandler)(socket, session);
    } catch (thrown) {
      fail(thrown);
      closeOnce(socket);
    }
  };
  const settled = run();
  const gone = socket && once(socket, 'close');
  return {
    finished: Promise.allSettled([settled, gone]),
    ended() {
      isOver = true;
      closeOnce(socket);
    },
  };
}

/** The engine reads its end of the pair within the next turn. */
async function twoTurns(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) await new Promise<void>((resolve) => void setImmediate(resolve));
}

/** What is sent after the end of the flow is lost like any datagram; Node would throw, in a timer or a listener. */
function loseAfterClose(socket: Socket): void {
  const send = socket.send.bind(socket) as (...sent: unknown[]) => void;
  socket.send = (...sent: unknown[]): void => {
    try {
      send(...sent);
    } catch (error) {
      const told = sent.at(-1);
      if (!isClosed(error)) throw error;
      if (typeof told === 'function') process.nextTick(told, error);
    }
  };
}

/** Closing twice is an error of node:dgram. */
function closeOnce(socket: Socket | undefined): void {
  try {
    socket?.close();
  } catch (error) {
    if (!isClosed(error)) throw error;
  }
}

const isClosed = (error: unknown): boolean =>
  (error as NodeJS.ErrnoException).code === 'ERR_SOCKET_DGRAM_NOT_RUNNING';

/** Node opens a descriptor within `bind`. */
function connectedSocket(fd: number): Socket {
  const socket = createSocket('udp4');
  try {
    socket.bind({ fd });
    markConnected(socket);
    return socket;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** As in lib/dgram.js: disconnected, connecting, connected. */
const CONNECTED = 2;

/**
 * The pair is connected by the engine, so that no other process can speak to the handler, and Node knows only of sockets
 * that it has connected itself: of others it wants an address with each `send`, which the system refuses then.
 */
function markConnected(socket: Socket): void {
  const symbol = Object.getOwnPropertySymbols(socket).find(
    ({ description }) => description === 'state symbol',
  );
  const state = symbol && (socket as unknown as Record<symbol, { connectState?: number }>)[symbol];
  if (state?.connectState === undefined)
    throw new Error('this version of Node has no socket for a handler of flows');
  state.connectState = CONNECTED;
}
