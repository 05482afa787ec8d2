/** The addon by its one door, in the build that is shipped. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Classifier } from '../../src/addon.js';

type Addon = typeof import('../../src/addon.js');
export const { native }: Addon = await import(pathToFileURL(resolve('dist/addon.js')).href);

/** Classifies these flights, over and over. */
export function classifyMany(classifier: Classifier, flights: readonly Uint8Array[]): () => void {
  const bytes = Buffer.concat(flights);
  let end = 0;
  const ends = Uint32Array.from(flights, ({ length }) => (end += length));
  const answers = new Int32Array(flights.length);
  return () => classifier.identifyMany(bytes, ends, answers);
}
