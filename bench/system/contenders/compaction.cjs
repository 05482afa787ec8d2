/** Preloaded into each thread of a Node process, which then collects and compacts all of its heap twice a second, at once. */
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

const INTERVAL_MS = 500;

setFlagsFromString('--expose-gc');
setInterval(runInNewContext('gc'), INTERVAL_MS).unref();
