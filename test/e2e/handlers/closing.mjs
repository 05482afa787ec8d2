/** Ends as it is asked to in a line of JSON (`act`, after `bytes`, at the next byte), or reports the client's end to a file. */
import { appendFileSync } from 'node:fs';

const acts = {
  fin: (socket) => socket.end(),
  close: (socket) => socket.destroy(),
  reset: (socket) => socket.destroy(new Error('as asked')),
  throw: () => {
    throw new Error('as asked');
  },
};

export default async (socket) => {
  let received = '';
  let wanted = () => true;
  let arrived = () => {};
  socket.on('data', (chunk) => {
    received += chunk;
    if (wanted()) arrived();
  });
  const until = (condition) => {
    if (condition()) return undefined;
    wanted = condition;
    return new Promise((resolve) => {
      arrived = resolve;
    });
  };
  await until(() => received.includes('\n'));
  const line = received.slice(0, received.indexOf('\n') + 1);
  const { act, bytes, report } = JSON.parse(line.slice(1));
  if (report !== undefined) {
    const say = (ending) => appendFileSync(report, `${received.length - line.length} ${ending}\n`);
    socket.on('end', () => {
      say('fin');
      socket.end('answer');
    });
    socket.on('error', ({ code }) => say(code));
    return;
  }
  if (bytes > 0) await new Promise((resolve) => socket.write(Buffer.alloc(bytes, 'x'), resolve));
  await until(() => received.length > line.length);
  acts[act](socket);
  if (act === 'fin') socket.on('end', () => {});
};
