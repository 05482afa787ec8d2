/** Slow files begin first; those that are gone or renamed are not in the list. */
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { slow } from '../support/slow-first.js';

test.each(slow)('%s', (path) => expect(existsSync(path)).toBe(true));

test('each once', () => expect(new Set(slow).size).toBe(slow.length));
