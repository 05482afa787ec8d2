import { expect, test } from 'vitest';
import { Room, roomWords } from '../../src/metrics/room.js';
import { OTHER } from '../../src/model/ids.js';

test('sessions of endpoints beyond the capacity are read where the engine counts them: in one word', () => {
  const memory = new SharedArrayBuffer(4 * (roomWords.endpoints + 10));
  const room = new Room(memory);
  room.words[roomWords.endpoints + 9] = 3;
  room.words[roomWords.endpoints + OTHER] = 5;
  expect([9, 10, 1_000_000].map((endpoint) => room.sessions(endpoint))).toEqual([3, 5, 5]);
});
