/** Settings that a running daemon keeps: a change of these is refused by name. */
import type { Config, Problem } from '../../model/config.js';
import { unplaced } from '../report.js';
import { type Setting, settingsOf } from './settings.js';

/** Key → why it stays. */
const fixed: Readonly<Record<string, string>> = {
  'server.buffer_size': 'the buffers of every worker are made once',
};

/** One problem for each setting that differs and can not change: key, running value, wanted value, what to do. */
export function unchangeable(before: Config, after: Config): Problem[] {
  const running = settingsOf(before);
  return settingsOf(after).flatMap((wanted, index): Problem[] => {
    const why = fixed[wanted.name];
    const is = running[index];
    if (why === undefined || is === undefined || is.value === wanted.value) return [];
    return [unplaced(text(is, wanted, why), wanted.name)];
  });
}

function text(is: Setting, wanted: Setting, why: string): string {
  return (
    `can not change while running (${why}): it is ${is.shown}, wanted is ${wanted.shown}; ` +
    'restart anyport, or upgrade it in place with SIGUSR2'
  );
}
