/** Files of endpoints, as they are now. Others write them, so what is wrong with one refuses nothing: it is followed. */
import { resolve } from 'node:path';
import { targetsIn } from '../../providers/target-files.js';
import type { Warn } from '../report.js';
import type { Context } from './context.js';
import type { NamedUpstream } from './upstreams.js';

export function warnOfTargetFiles(written: readonly NamedUpstream[], context: Context, warn: Warn): void {
  for (const { path, value } of written)
    for (const [index, file] of (value.file_sd ?? []).entries()) {
      const absolute = resolve(context.directory, file);
      const read = context.targetFile(absolute);
      const found = 'fault' in read ? read : targetsIn(read.text);
      if ('fault' in found)
        warn([...path, 'file_sd', index], `${absolute}: ${found.fault}; until then it adds no endpoints`);
    }
}
