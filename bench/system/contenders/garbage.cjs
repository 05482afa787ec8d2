/**
 * Preloaded into each thread of a Node process: objects come and go, as many as of thousands of sessions a second that last
 * for 0.4 s. V8 collects them when and how it does: young ones several times a second, all every few seconds.
 */
const BATCH = 2000;
const BATCHES_KEPT = 20;
const INTERVAL_MS = 20;

const kept = [];
let made = 0;

const make = () => {
  made += 1;
  return { made, text: `object ${made}` };
};

setInterval(() => {
  kept.push(Array.from({ length: BATCH }, make));
  if (kept.length > BATCHES_KEPT) kept.shift();
}, INTERVAL_MS).unref();
