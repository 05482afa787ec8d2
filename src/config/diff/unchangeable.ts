/** Settings that a running daemon keeps: a change of these is refused by name. */
import { isDeepStrictEqual } from 'node:util';
import type { Config, Problem } from '../../model/config.js';
import { unplaced } from '../report.js';
import { type Setting, settingsOf } from './settings.js';

interface Fixed {
  readonly why: string;
  readonly instead: string;
}

const fixed: Readonly<Record<string, Fixed>> = {
  'server.buffer_size': {
    why: 'the buffers of every worker are made once',
    instead: 'restart anyport, or upgrade it in place with SIGUSR2',
  },
  'server.user': { why: 'rights that are given up do not come back', instead: 'restart anyport' },
};

/** One problem for each setting that differs and can not change: key, running value, wanted value, what to do. */
export function unchangeable(before: Config, after: Config): Problem[] {
  const running = settingsOf(before);
  return settingsOf(after).flatMap((wanted, index): Problem[] => {
    const known = fixed[wanted.name];
    const is = running[index];
    if (known === undefined || is === undefined || isDeepStrictEqual(is.value, wanted.value)) return [];
    return [unplaced(text(is, wanted, known), wanted.name)];
  });
}

function text(is: Setting, wanted: Setting, { why, instead }: Fixed): string {
  const [now, next] = [is, wanted].map(({ shown }) => shown ?? 'nobody');
  return `can not change while running (${why}): it is ${now}, wanted is ${next}; ${instead}`;
}
