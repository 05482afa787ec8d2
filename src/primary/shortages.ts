/** What a configuration in force may lack of this machine beside open files: found as `anyport doctor` finds it. */
import type { Logger } from '../base/log.js';
import { shortAtStart } from '../doctor/at-start.js';
import { thisMachine } from '../doctor/machine.js';
import type { Config } from '../model/config.js';

/** Of a configuration that is in force, unless as much was lacking `before`. */
export function warnOfShortages(config: Config, log: Logger, before?: Config): void {
  const known = before === undefined ? [] : shortAtStart(before, thisMachine);
  for (const { what, needed, there, why, remedies } of shortAtStart(config, thisMachine)) {
    if (known.some((each) => each.what === what && each.needed === needed)) continue;
    log.warn({ needed, there, remedies }, `short of ${what}: ${why}`);
  }
}
