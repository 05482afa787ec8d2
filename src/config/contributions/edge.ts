/** A fragment by itself: its sections, and what somebody else than the operator of this machine may not say. */
import { contributedSections } from '../../providers/contribution.js';
import { filesNamedIn } from '../modules.js';
import { findAll, type Path } from '../path.js';
import type { Source } from '../source.js';

export interface Fault {
  readonly path: Path;
  readonly message: string;
}

/** Where a health check may stand. */
const CHECKS = ['upstreams.*', 'protocols.[].target', 'forwards.[].target'].map(
  (owner) => `${owner}.health_check.type`,
);

/** The schema is asked later, with the file, where references can be looked up. */
export function checkFragment({ value, unreadable }: Source): Fault[] {
  return [
    ...unreadable,
    ...Object.keys(value as object).flatMap((key) =>
      (contributedSections as readonly string[]).includes(key)
        ? []
        : [{ path: [key], message: `is for the file alone; a contribution may have ${SECTIONS}` }],
    ),
    ...filesNamedIn(value).map((path) => ({ path, message: FILES })),
    ...CHECKS.flatMap((pattern) => findAll(value, pattern))
      .filter((found) => found.value === 'exec')
      .map(({ path }) => ({ path, message: PROGRAMS })),
  ];
}

const SECTIONS = contributedSections.map((section) => `\`${section}\``).join(', ');
const FILES = 'names code or a file of this machine, which the file of the configuration alone may do';
const PROGRAMS = 'runs a program of this machine, which the file of the configuration alone may do';
