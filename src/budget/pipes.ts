/**
 * Splice pipes, whose memory the kernel counts per user: beyond fs.pipe-user-pages-soft those of a process without
 * CAP_SYS_RESOURCE stay small, and sessions copy.
 */
import { fileCosts } from './open-files.js';

/** As in native/relay/pipes.h. */
export const pipeSizes = { large: 16, largeBytes: 1024 * 1024, smallBytes: 256 * 1024 } as const;

/** Of the pipes of one worker, all in use. */
export function pipeBytes(pipes: number = fileCosts.pipesPerWorkerMax): number {
  const large = Math.min(pipes, pipeSizes.large);
  return large * pipeSizes.largeBytes + (pipes - large) * pipeSizes.smallBytes;
}
