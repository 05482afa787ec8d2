/** Scrapes /metrics after every listener has served a session of each protocol. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { parseMetrics, total } from '../../test/support/metrics.js';
import { cpuNanoseconds } from '../../test/support/proc.js';
import type { Contender } from './contender.js';
import type { Run } from './measure.js';
import type { Workload } from './workloads.js';

/** Protocol → request that the endpoint answers at once. */
const REQUESTS = {
  http: 'GET /8 HTTP/1.1\r\nHost: bench.example.com\r\n\r\n',
  redis: '*1\r\n$4\r\nPING\r\n',
} as const;
type Protocol = keyof typeof REQUESTS;
const protocols = Object.keys(REQUESTS) as Protocol[];

/** Contender → sessions served so far per listener and protocol. */
const served = new Map<Contender, number>();

export async function measureScrape(workload: Workload, contender: Contender): Promise<Run> {
  const { listeners = [], pid, scrape } = contender;
  if (pid === null || !scrape) throw new Error(`${contender.name} has no metrics`);
  for (const protocol of protocols) for (const address of listeners) await ask(address, REQUESTS[protocol]);
  const sessions = (served.get(contender) ?? 0) + 1;
  served.set(contender, sessions);
  const before = cpuNanoseconds(pid);
  const began = performance.now();
  let text = '';
  for (let i = 0; i < workload.units; i += 1) text = await scrape();
  const seconds = (performance.now() - began) / 1000;
  const cost = (cpuNanoseconds(pid) - before) / workload.units;
  check(text, listeners, sessions);
  return { cost, rate: workload.units / seconds };
}

/** One session: request, first bytes of the answer, close. */
async function ask(address: string, request: string): Promise<void> {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host);
  socket.write(request);
  await once(socket, 'data');
  socket.end().resume();
  await once(socket, 'close');
}

function check(text: string, listeners: readonly string[], sessions: number): void {
  const samples = parseMetrics(text);
  for (const index of listeners.keys()) {
    const listener = `listener-${index}`;
    const accepted = total(samples, 'anyport_accepted_total', { listener });
    if (accepted !== protocols.length * sessions) throw new Error(`${accepted} accepted on ${listener}`);
    for (const protocol of protocols) {
      const ended = total(samples, 'anyport_sessions_total', { listener, protocol, reason: 'done' });
      if (ended !== sessions) throw new Error(`${ended} sessions of ${protocol} done on ${listener}`);
    }
  }
}
