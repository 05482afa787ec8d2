// Preloaded into each thread of a daemon whose memory is measured: what is garbage is gone within a second.
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

setFlagsFromString('--expose-gc');
setInterval(runInNewContext('gc'), 500).unref();
