import { test } from 'vitest';
// @ts-expect-error: there is none.
import { missing } from './nowhere.js';

test('never runs', () => missing());
