/** Operations on places (sets of listeners and protocols). */
import type { Place } from './condition.js';

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

export function isAt({ listeners, protocols }: Place, listener: number, protocol: number): boolean {
  return (listeners?.includes(listener) ?? true) && (protocols?.includes(protocol) ?? true);
}
