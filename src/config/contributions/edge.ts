/** A fragment by itself: its sections, and what somebody else than the operator of this machine may not say. */
import { contributedSections } from '../../providers/contribution.js';
import { expectedGot } from '../messages.js';
import { filesNamedIn } from '../modules.js';
import { findAll, isMapping } from '../path.js';
import { unknownKey } from '../schema/fields.js';
import { type SectionName, sections } from '../schema/index.js';
import type { Source, Unreadable } from '../source.js';
import { leadsHere, type Permission } from './here.js';

/** `loopback`: may it lead to this machine itself? */
export function checkFragment({ value, unreadable }: Source, loopback: Permission): Unreadable[] {
  if (!isMapping(value)) return [{ path: [], message: expectedGot('a mapping of keys and values', value) }];
  return [
    ...unreadable,
    ...Object.entries(value).flatMap(([key, section]) => sectionFault(key, section)),
    ...filesNamedIn(value).map((path) => ({ path, message: FILES })),
    ...REFUSED.flatMap(([pattern, message]) =>
      findAll(value, pattern).map(({ path }) => ({ path, message })),
    ),
    ...CHECKS.flatMap((pattern) => findAll(value, pattern))
      .filter((found) => found.value === 'exec')
      .map(({ path }) => ({ path, message: PROGRAMS })),
    ...leadsHere(value, loopback),
  ];
}

/** An empty section would hide that of the file. */
function sectionFault(key: string, section: unknown): Unreadable[] {
  if (!isContributed(key)) return [{ path: [key], message: foreignSection(key) }];
  const [isRight, expected] =
    key === 'upstreams' ? [isMapping(section), 'a mapping'] : [Array.isArray(section), 'a list'];
  return isRight ? [] : [{ path: [key], message: expectedGot(expected, section) }];
}

type Contributed = (typeof contributedSections)[number];

const isContributed = (key: string): key is Contributed =>
  (contributedSections as readonly string[]).includes(key);

function foreignSection(key: string): string {
  if (!Object.hasOwn(sections, key)) return unknownKey(key, contributedSections);
  const why = WHY_FOREIGN[key as Exclude<SectionName, Contributed>];
  return `is for the file alone, since it ${why}; a contribution may have ${SECTIONS}`;
}

const SECTIONS = contributedSections.map((section) => `\`${section}\``).join(', ');

const WHY_FOREIGN: Readonly<Record<Exclude<SectionName, Contributed>, string>> = {
  include: 'names files of this machine',
  server: 'says what this process may use, and as whom it runs',
  listeners: 'says who may connect',
  security: 'says who may connect',
  monitoring: 'opens servers of this machine',
  logging: 'names files of this machine',
  admin: 'says who may command',
  distributed: 'says who is believed',
  connect_proxy: 'says who may go where',
  docker: 'says who is believed',
  kcp: 'holds secrets',
};

const UPSTREAMS = ['upstreams.*', 'protocols.[].target', 'forwards.[].target'];

/** Where a health check may stand. */
const CHECKS = UPSTREAMS.map((owner) => `${owner}.health_check.type`);

const ALONE = 'which the file of the configuration alone may do';
const FILES = `names code or a file of this machine, ${ALONE}`;
const PROGRAMS = `runs a program of this machine, ${ALONE}`;
const SECRETS = `would show an endpoint of somebody else a secret of the file, ${ALONE}`;
const SOURCES = `names addresses or interfaces of one machine, ${ALONE}`;
const TRUST = `says whom to believe, ${ALONE}`;
const SIGNATURES = `decides about sessions of other protocols, too, ${ALONE}`;

/** Keys, wherever they stand, and why not. */
const REFUSED: readonly (readonly [pattern: string, message: string])[] = [
  ...UPSTREAMS.flatMap((owner): [string, string][] => [
    [`${owner}.source`, SOURCES],
    [`${owner}.over`, SECRETS],
    [`${owner}.kcp`, SECRETS],
  ]),
  ['forwards.[].proxy_protocol', TRUST],
  ['forwards.[].ip_whitelist', TRUST],
  ...['priority', 'transport', 'start_bytes', 'offset', 'contains', 'regex', 'min_bytes', 'max_bytes'].map(
    (key): [string, string] => [`protocols.[].${key}`, SIGNATURES],
  ),
];
