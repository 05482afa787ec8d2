/**
 * A real gRPC service and a client of it, by grpc-js, each a process of its own: `serve TARGET`, `ask TARGET MESSAGES`.
 * What goes in comes out.
 */
import { Client, credentials, Server, ServerCredentials } from '@grpc/grpc-js';

const asIs = (bytes) => bytes;

const method = (path, stream) => ({
  path,
  requestStream: stream,
  responseStream: stream,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});

const unary = method('/echo.Echo/Unary', false);
const streaming = method('/echo.Echo/Stream', true);

function serve(target) {
  const server = new Server();
  server.addService(
    { unary, streaming },
    {
      unary: ({ request }, answer) => answer(null, request),
      streaming: (call) => {
        call.on('data', (message) => call.write(message));
        call.on('end', () => call.end());
      },
    },
  );
  server.bindAsync(target, ServerCredentials.createInsecure(), (error) => {
    if (error) throw error;
  });
}

const deadline = () => ({ deadline: Date.now() + 25_000 });

const askOne = (client, message) =>
  new Promise((resolve, reject) => {
    client.makeUnaryRequest(unary.path, asIs, asIs, Buffer.from(message), deadline(), (error, answer) =>
      error ? reject(error) : resolve(String(answer)),
    );
  });

const askStream = (client, messages) =>
  new Promise((resolve, reject) => {
    const call = client.makeBidiStreamRequest(streaming.path, asIs, asIs, deadline());
    const answers = [];
    call.on('data', (message) => answers.push(String(message)));
    call.on('end', () => resolve(answers));
    call.on('error', reject);
    for (const message of messages) call.write(Buffer.from(message));
    call.end();
  });

async function ask(target, messages) {
  const client = new Client(target, credentials.createInsecure());
  const answers = [];
  for (const message of messages) answers.push(await askOne(client, message));
  answers.push(...(await askStream(client, messages)));
  console.log(JSON.stringify(answers));
  client.close();
}

const [command, target, messages] = process.argv.slice(2);
if (command === 'serve') serve(target);
else await ask(target, JSON.parse(messages));
