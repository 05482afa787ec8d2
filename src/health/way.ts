/** The way of a probe through proxies: the same conversation as that of sessions. */
import type { Ask } from '../model/facts.js';
import type { ViaTls } from '../model/via.js';
import { type Place, placed } from '../via/index.js';
import { LineFault, type TlsAsk } from './line.js';
import { faultOfCertificate } from './secured.js';
import type { StreamLine } from './stream-line.js';

export interface Way {
  /** Of the proxies, in their order; not empty. */
  readonly asks: readonly Ask[];
  /** With the first of them; null: none. */
  readonly tls: ViaTls | null;
  /** Where it leads. */
  readonly place: Place;
}

/** From a line to the first proxy to one to the place; rejects with a LineFault that says who has failed. */
export async function goThrough(line: StreamLine, { asks, tls }: Way): Promise<void> {
  if (tls !== null) await at(asks[0], () => secureTo(line, tls));
  for (let asked = 0; asked < asks.length; ) {
    const ask = asks[asked] as Ask;
    asked += 1 + (await at(ask, () => answered(line, ask)));
  }
  line.begin();
}

/** A fault, of whoever is asked, in the words of the way. */
export async function at<Result>(ask: Ask | undefined, what: () => Promise<Result>): Promise<Result> {
  try {
    return await what();
  } catch (error) {
    if (ask === undefined || !(error instanceof LineFault)) throw error;
    throw new LineFault(placed(ask, error.message));
  }
}

/** How many of the next questions need not be asked. */
async function answered(line: StreamLine, ask: Ask): Promise<number> {
  let skips = 0;
  line.write(ask.bytes);
  await line.read((bytes) => {
    if (bytes.length < ask.expected) return null;
    const answer = ask.judge(bytes);
    if (answer.verdict === 'no') throw new LineFault(answer.why);
    if (answer.verdict === 'more') return null;
    skips = answer.skips ?? 0;
    return answer.bytes;
  });
  return skips;
}

async function secureTo(line: StreamLine, { serverName, ca }: ViaTls): Promise<void> {
  const ask: TlsAsk = { serverName, ...(ca !== null && { ca }) };
  const facts = await line.startTls(ask);
  const fault = faultOfCertificate(facts, { verify: true }, { serverName });
  if (fault !== null && !fault.well) throw new LineFault(fault.why);
}
