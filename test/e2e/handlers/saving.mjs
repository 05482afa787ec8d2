/** A handler that writes down how the upload ended, some time after it has: `saving PATH` and a line feed. */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export default async function saving(socket) {
  const chunks = [];
  let end = 'whole';
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      if (chunks.push(chunk) === 1) socket.write('begun');
    }
    socket.end('saved');
  } catch (error) {
    end = error.code;
  }
  await sleep(200);
  const [, path] = Buffer.concat(chunks).toString().split(/[ \n]/);
  appendFileSync(path, end);
}
