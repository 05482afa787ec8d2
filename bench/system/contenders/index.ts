/** What anyport is compared with, and the names that `--against` takes. */
import type { Rival } from '../contender.js';
import { BESIDE, OURS } from './anyport.js';
import { DIRECT } from './direct.js';
import { floor } from './floor.js';
import { haproxy } from './haproxy.js';
import { nginx } from './nginx.js';
import { node } from './node.js';
import { sslh } from './sslh.js';

/** In the order of the table's rows. */
export const rivals: readonly Rival[] = [floor, haproxy, nginx, sslh, node];

export const contenderNames = (): string[] => [DIRECT, OURS, BESIDE, ...rivals.map(({ name }) => name)];
