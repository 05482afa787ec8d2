/** The configuration that a command is to look at: an argument, `-c`, or the default file. */
import { existsSync } from 'node:fs';
import { DEFAULT_FILE } from '../config/default.js';
import { BAD_USAGE, Failure } from './failure.js';

/** `command` is shown in advice; without any file the demonstration runs, which is not worth it. */
export function givenFile(
  command: string,
  file: string | undefined,
  config: string | undefined,
): string | undefined {
  if (file !== undefined && config !== undefined) {
    throw new Failure(`two files are given, ${file} and ${config}: ${command} one at a time`, BAD_USAGE);
  }
  const given = file ?? config;
  if (given === undefined && !existsSync(DEFAULT_FILE)) {
    throw new Failure(
      `there is no ${DEFAULT_FILE} here: name a file, as in \`anyport ${command} FILE\``,
      BAD_USAGE,
    );
  }
  return given;
}
