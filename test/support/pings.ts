/** Short sessions, one after the other from several clients, while something else happens. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { redisPing } from './flights.js';
import { within } from './wait.js';

export interface Pings {
  /** Sessions that were answered so far. */
  readonly answered: number;
  /** Ends the clients; resolves with what failed. */
  stop(): Promise<string[]>;
}

type Target = { readonly port: number; readonly host?: string } | { readonly path: string };

/** Each of `clients` connects, sends a Redis PING, waits for an answer of that length, closes, and begins again. */
export function startPings(target: Target, clients = 8): Pings {
  const failures: string[] = [];
  let answered = 0;
  let isOver = false;
  const run = async () => {
    while (!isOver) {
      try {
        await pingOnce(target);
        answered += 1;
      } catch (error) {
        failures.push(String(error));
      }
    }
  };
  const running = Promise.all(Array.from({ length: clients }, run));
  return {
    get answered() {
      return answered;
    },
    async stop() {
      isOver = true;
      await running;
      return failures;
    },
  };
}

async function pingOnce(target: Target): Promise<void> {
  const socket = connect(target);
  try {
    socket.end(redisPing);
    let length = 0;
    socket.on('data', (bytes) => {
      length += bytes.length;
    });
    await within('the end of a short session', once(socket, 'end'));
    if (length !== redisPing.length) throw new Error(`${length} bytes came`);
  } finally {
    socket.destroy();
  }
}
