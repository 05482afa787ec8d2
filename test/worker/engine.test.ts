/** The engine's own checks: what TypeScript should never hand over is an error with a name. */
import { afterEach, describe, expect, test } from 'vitest';
import { type Engine, type EngineOptions, native } from '../../src/addon.js';

const { arenaBytes, layout } = native;
const bufferBytes = 32_768;

const options: EngineOptions = {
  worker: 0,
  arena: new ArrayBuffer(arenaBytes(bufferBytes)),
  events: new ArrayBuffer(layout.eventsMax * layout.eventWords * 4),
  answers: new ArrayBuffer((1 + layout.answersMax * layout.answerWords) * 4),
  counters: new Float64Array(new SharedArrayBuffer(64)),
  gauges: new Int32Array(new SharedArrayBuffer(8)),
  bufferBytes,
  pipesMax: 0,
  onTurn: () => {},
};

const shorter = (buffer: ArrayBuffer) => new ArrayBuffer(buffer.byteLength - 4);

const engines: Engine[] = [];
afterEach(() => {
  for (const engine of engines.splice(0)) engine.close();
});

function create(change: Record<string, unknown> = {}): Engine {
  const engine = new native.Engine({ ...options, ...change } as EngineOptions);
  engines.push(engine);
  return engine;
}

describe('an engine is not made of', () => {
  const cases = [
    { why: 'a short arena', change: { arena: shorter(options.arena) }, error: RangeError },
    { why: 'a short event ring', change: { events: shorter(options.events) }, error: RangeError },
    { why: 'a short answer ring', change: { answers: shorter(options.answers) }, error: RangeError },
    { why: 'no gauge for its worker', change: { worker: 1 }, error: RangeError },
    { why: 'a worker past all numbers', change: { worker: 0xffffffff }, error: RangeError },
    { why: 'counters of another kind', change: { counters: options.gauges }, error: TypeError },
    { why: 'gauges of another kind', change: { gauges: new Uint8Array(8) }, error: TypeError },
    { why: 'an arena that is a view', change: { arena: new Uint8Array(8) }, error: TypeError },
  ];
  test.each(cases)('$why', ({ change, error }) => {
    expect(() => create(change)).toThrow(error);
  });
});

test('connections are taken only once there are tables for them', () => {
  const inbox = native.createInbox();
  expect(() => create().takeFrom(inbox)).toThrow(RangeError);
  expect(() => create().listen(0, 0)).toThrow(RangeError);
  native.closeInbox(inbox);
});
