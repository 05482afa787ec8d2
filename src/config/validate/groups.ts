/** Listeners of one entry of the configuration: several for a port range. */
import type { ListenerConfig } from '../../model/config.js';
import type { Path } from '../path.js';

export interface ListenerGroup {
  readonly name: string;
  readonly path: Path;
  readonly listeners: readonly ListenerConfig[];
}

export const isForward = ({ path }: ListenerGroup): boolean => path[0] === 'forwards';
