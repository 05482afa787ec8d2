// A protocol of one's own: frames of aa 55, a length, that many bytes, and their sum modulo 256. The first two bytes
// are the signature; whether the sum is right, a function says.
import { createAnyport } from 'anyport';

const HEADER = 3;

/** 'more' until the frame is whole, then whether its sum is right. */
function validate(bytes) {
  if (bytes.length < HEADER) return 'more';
  const end = HEADER + bytes[2];
  if (bytes.length <= end) return 'more';
  const sum = bytes.subarray(HEADER, end).reduce((total, byte) => (total + byte) % 256, 0);
  return sum === bytes[end] ? 'match' : 'no';
}

const plex = createAnyport();

await plex.addProtocol({
  name: 'Sensor',
  startBytes: ['aa55'],
  minBytes: HEADER + 1,
  validate,
  handler(socket, { protocol, source }) {
    socket.once('data', (frame) => socket.end(`${protocol}: ${frame[2]} bytes\n`));
    socket.on('error', (error) => console.error(source, error.code));
  },
});

const [front] = await plex.listen(process.env.LISTEN ?? '127.0.0.1:9090');
console.log(`listening on ${front.address}`);

process.on('SIGTERM', () => plex.close({ drain: 0 }));
