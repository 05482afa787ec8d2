/** Timeouts of a session that the server sets for all upstreams, and each upstream for itself. */
import { duration, optionalDuration } from './fields.js';

const dial = {
  meaning: 'Time for an endpoint to accept a connection, for each of its addresses',
  bounds: { min: '10ms', max: '10m' },
};
const idle = {
  meaning: 'Ends a session in which no byte moves either way',
  bounds: { min: '10ms', max: '720h' },
};
const halfClose = {
  meaning: 'Ends a session of which one side has finished and the other is silent',
  bounds: { min: '10ms', max: '24h' },
};

export const serverTimeouts = {
  dial_timeout: duration('5s', dial.meaning, dial.bounds),
  idle_timeout: duration('1h', idle.meaning, idle.bounds),
  half_close_timeout: duration('60s', halfClose.meaning, halfClose.bounds),
};

const instead = (key: string) => `Here instead of \`server.${key}\``;

export const upstreamTimeouts = {
  dial_timeout: optionalDuration(instead('dial_timeout'), dial.bounds),
  idle_timeout: optionalDuration(instead('idle_timeout'), idle.bounds),
  half_close_timeout: optionalDuration(instead('half_close_timeout'), halfClose.bounds),
};
