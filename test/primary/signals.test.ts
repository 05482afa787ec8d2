import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { hearSignals } from '../../src/primary/signals.js';

function hear() {
  const source = new EventEmitter();
  const heard: string[] = [];
  const ignore = hearSignals(
    {
      drain: (signal) => heard.push(`drain ${signal}`),
      stop: (signal) => heard.push(`stop ${signal}`),
      notYet: (signal) => heard.push(`not yet ${signal}`),
    },
    source,
  );
  return { source, heard, ignore };
}

describe('signals', () => {
  const cases = [
    { why: 'the first ends gently', sent: ['SIGTERM'], expected: ['drain SIGTERM'] },
    {
      why: 'a second one of either kind stops',
      sent: ['SIGTERM', 'SIGINT'],
      expected: ['drain SIGTERM', 'stop SIGINT'],
    },
    {
      why: 'what can not be done yet does no harm',
      sent: ['SIGHUP', 'SIGUSR2', 'SIGINT'],
      expected: ['not yet SIGHUP', 'not yet SIGUSR2', 'drain SIGINT'],
    },
  ];
  test.each(cases)('$why', ({ sent, expected }) => {
    const { source, heard } = hear();
    for (const signal of sent) source.emit(signal, signal);
    expect(heard).toEqual(expected);
  });

  test('afterwards the process is as it was', () => {
    const { source, ignore } = hear();
    ignore();
    expect(source.eventNames()).toEqual([]);
  });
});
