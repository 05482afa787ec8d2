/** Progress on standard error: one line that is written over on a terminal, a line for each run elsewhere. */
import type { Progress } from '../../bench/bench.js';

const BAR = 24;
const CLEAR = '\r\x1b[K';

export function createProgress(out: NodeJS.WriteStream): Progress {
  let [done, all] = [0, 0];
  return {
    begin(runs) {
      all = runs;
    },
    step(words) {
      const full = Math.round((BAR * done) / Math.max(1, all));
      const bar = `${'█'.repeat(full)}${'░'.repeat(BAR - full)}`;
      done += 1;
      out.write(out.isTTY ? `${CLEAR}${bar} ${done}/${all} ${words}` : `${done}/${all} ${words}\n`);
    },
    end() {
      if (out.isTTY) out.write(CLEAR);
    },
  };
}
