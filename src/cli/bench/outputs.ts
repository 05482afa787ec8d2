/** Files that `anyport bench` writes at its end: whether that will go is found out before it measures for minutes. */
import { accessSync, constants, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { writeFaultOf } from '../../base/replace-file.js';
import { BAD_USAGE, FAILED, Failure } from '../failure.js';

/** `-` is standard output, and not looked at. */
export function refuseUnwritable(option: string, file: string | undefined): void {
  if (file === undefined || file === '-') return;
  const refuse = (why: string) => new Failure(`${option} ${file}: ${why}`, BAD_USAGE);
  if (file === '') throw refuse('name a file');
  try {
    const there = statSync(file, { throwIfNoEntry: false });
    if (there?.isDirectory()) throw refuse('it is a folder: name a file');
    accessSync(there === undefined ? dirname(file) : file, constants.W_OK);
  } catch (error) {
    throw error instanceof Failure ? error : refuse(writeFaultOf(error as NodeJS.ErrnoException, file));
  }
}

export function writeOutput(option: string, file: string | undefined, text: string): void {
  if (file === undefined || file === '-') return;
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new Failure(`${option} ${file}: ${writeFaultOf(error as NodeJS.ErrnoException, file)}`, FAILED);
  }
}
