/** Where an engine is, in words. */
import type { DockerConfig } from '../../model/config.js';

export const engineText = (place: DockerConfig['place']): string =>
  'socketPath' in place ? place.socketPath : `tcp://${place.host}:${place.port}`;
