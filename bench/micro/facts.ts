/** What the facts behind a match cost, on the flights that have them. */
import { identifyBytes } from '../../src/protocols/identify.js';
import { protocols } from '../../src/protocols/index.js';
import { flights } from '../../test/cases/flights.js';
import type { Task } from './task.js';

export function factsTasks(): Task[] {
  const named = flights.map(({ segments, transport }) => {
    const bytes = transport === 'udp' ? (segments[0] ?? new Uint8Array()) : Buffer.concat(segments);
    return { transport, bytes, id: identifyBytes([bytes], transport).protocol };
  });
  return protocols.flatMap(({ id, facts, datagram, transports }) =>
    transports.flatMap((transport) => {
      const parse = transport === 'udp' && datagram ? datagram.facts : facts;
      const own = named.filter((flight) => flight.id === id && flight.transport === transport);
      if (!parse || own.length === 0) return [];
      const name = transports.length > 1 ? `${id} (${transport})` : id;
      const run = (): void => {
        for (const { bytes } of own) parse(bytes);
      };
      return [{ name, operations: own.length, run }];
    }),
  );
}
