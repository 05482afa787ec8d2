/** Where an engine is: with the texts of the files that its TLS needs. */
import { readFileSync } from 'node:fs';
import type { DockerConfig } from '../../model/config.js';
import type { EnginePlace } from './client.js';

/** Throws when a file can not be read. */
export function engineAt(place: DockerConfig['place']): EnginePlace {
  if ('socketPath' in place) return place;
  const { host, port, tls } = place;
  if (tls === null) return { host, port, tls };
  const texts = Object.entries(tls).map(([key, file]) => [key, readFileSync(file, 'utf8')]);
  return { host, port, tls: Object.fromEntries(texts) };
}

export const engineText = (place: EnginePlace): string =>
  'socketPath' in place ? place.socketPath : `tcp://${place.host}:${place.port}`;
