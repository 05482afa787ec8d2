/** What a load is wanted: `50000 connections, 2000/s, 4 Gbit/s`. Pure. */

export interface Wanted {
  /** At once. */
  readonly connections: number;
  /** That begin. */
  readonly connectionsPerSecond: number;
  /** Relayed, both ways together. */
  readonly bytesPerSecond: number;
  /** Round trips of small messages on open connections. */
  readonly messagesPerSecond: number;
}

const NUMBER = String.raw`(\d+(?:\.\d+)?)([kM]?)`;
const UNITS: Readonly<Record<string, { readonly key: keyof Wanted; readonly times: number }>> = {
  'Gbit/s': { key: 'bytesPerSecond', times: 1e9 / 8 },
  'Mbit/s': { key: 'bytesPerSecond', times: 1e6 / 8 },
  'GB/s': { key: 'bytesPerSecond', times: 1e9 },
  'MB/s': { key: 'bytesPerSecond', times: 1e6 },
  'messages/s': { key: 'messagesPerSecond', times: 1 },
  connections: { key: 'connections', times: 1 },
  '/s': { key: 'connectionsPerSecond', times: 1 },
};
const PART = new RegExp(`^${NUMBER} ?(${Object.keys(UNITS).join('|')})$`);
const TIMES: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6 };

/** As doctor and configuration can take it. */
const CONNECTIONS_MAX = 10_000_000;

/** The load, or what is wrong with the text. */
export function parseWanted(text: string): Wanted | string {
  const wanted = { connections: 0, connectionsPerSecond: 0, bytesPerSecond: 0, messagesPerSecond: 0 };
  for (const part of text.split(',').map((each) => each.trim())) {
    const [, digits, thousands = '', name = ''] = PART.exec(part) ?? [];
    const unit = UNITS[name];
    if (digits === undefined || unit === undefined) return `${part}: give ${FORMS}`;
    if (wanted[unit.key] > 0) return `${part}: that is said twice`;
    wanted[unit.key] = Number(digits) * (TIMES[thousands] ?? 1) * unit.times;
  }
  const { connections } = wanted;
  if (!Number.isInteger(connections) || connections < 1 || connections > CONNECTIONS_MAX)
    return `how many connections at once? Give 1 to ${CONNECTIONS_MAX}, such as \`50k connections\``;
  return wanted;
}

const FORMS =
  'numbers such as `50000 connections` (at once), `2k/s` (that begin), `4 Gbit/s` or `500 MB/s` (both ways together), `100k messages/s`, with commas between them';
