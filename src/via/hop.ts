/** What the ways of asking a proxy have in common. */
import { hostPort } from '../base/address.js';
import type { Ask, AskVerdict } from '../model/facts.js';
import type { Hop } from '../model/via.js';

/** What a proxy is asked for: the next proxy, or the endpoint. */
export interface Place {
  /** A name, which the proxy looks up, or a literal without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Questions that connect the client of a proxy to a place; the last is answered when it is connected. */
export type Asking = (hop: Hop, place: Place) => readonly Question[];

/** An `Ask` that does not know yet which proxy answers it. */
export type Question = Omit<Ask, 'proxy'>;

export const placeText = ({ host, port }: Place): string => hostPort(host, port);

export const yes = (bytes: number, skips = 0): AskVerdict => ({ verdict: 'yes', bytes, skips });
export const more = (bytesNeeded: number): AskVerdict => ({ verdict: 'more', bytesNeeded });

/** The place can not be reached from the proxy. */
export const unreachable = (why: string): AskVerdict => ({ verdict: 'no', why });

/** The proxy does not do it for us, whatever the place. */
export const refused = (why: string): AskVerdict => ({ verdict: 'no', why, blames: 'proxy' });
