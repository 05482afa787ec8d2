/** Operations on places (sets of listeners and protocols). */
import { type Answer, type Place, UNDECIDED } from './condition.js';

/** The intersection of places. */
export function meetingPlace(places: readonly Place[]): Place {
  return places.reduce<Place>(
    (meeting, { listeners, protocols }) => ({
      ...both('listeners', meeting.listeners, listeners),
      ...both('protocols', meeting.protocols, protocols),
    }),
    {},
  );
}

function both<Name extends keyof Place>(
  name: Name,
  some: readonly number[] | undefined,
  others: readonly number[] | undefined,
): Place {
  const shared = some && others ? some.filter((index) => others.includes(index)) : (some ?? others);
  return shared === undefined ? {} : { [name]: shared };
}

/** The union of places, all of which are sets of listeners, or all of protocols. */
export function eitherPlace(places: readonly Place[]): Place {
  const listeners = places.flatMap((place) => place.listeners ?? []);
  const protocols = places.flatMap((place) => place.protocols ?? []);
  return { ...(listeners.length > 0 && { listeners }), ...(protocols.length > 0 && { protocols }) };
}

/** Where a session is: its listener, and its protocol once that is known. */
export interface Whereabouts {
  readonly listener: number;
  /** -1: not recognised, or not accepted there; `UNDECIDED`: one of `accepted`, or -1. */
  readonly protocol: number;
  /** Protocols that the listener accepts, if known. */
  readonly accepted?: readonly number[];
}

/** Whether the place holds the session; `more` only while its protocol is undecided. */
export function placeAnswer(
  { listeners, protocols }: Place,
  { listener, protocol, accepted }: Whereabouts,
): Exclude<Answer, 'refuse'> {
  if (listeners?.includes(listener) === false) return 'no';
  if (protocols === undefined) return 'yes';
  if (protocol !== UNDECIDED) return protocols.includes(protocol) ? 'yes' : 'no';
  return protocols.some((each) => accepted?.includes(each) ?? true) ? 'more' : 'no';
}
