import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LineSink } from '../../src/base/line-sink.js';
import { describeAsRoot } from '../support/tools.js';
import { eventually } from '../support/wait.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'anyport-log-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('all lines are written, in order', async () => {
  const file = join(directory, 'lines');
  const fd = openSync(file, 'w');
  const sink = new LineSink(fd);
  const wanted = Array.from({ length: 5000 }, (_, i) => `{"n":${i}}\n`);
  for (const line of wanted) sink.write(line);
  await sink.close();
  closeSync(fd);
  expect(readFileSync(file, 'utf8')).toBe(wanted.join(''));
  expect(sink.dropped).toBe(0);
});

const modes = [
  { why: 'a pipe that blocks its writer', flags: constants.O_WRONLY },
  { why: 'a pipe that answers "try again"', flags: constants.O_WRONLY | constants.O_NONBLOCK },
];
test.each(modes)('a reader that stands still costs lines, not time: $why', async ({ flags }) => {
  const { reader, writer } = openFifo(join(directory, 'fifo'), flags);
  const sink = new LineSink(writer, 256 * 1024);
  const line = `${'x'.repeat(1023)}\n`;
  for (let i = 0; i < 1000; i++) sink.write(line);
  expect(sink.dropped).toBe(1000 - 256);
  const closed = sink.close();
  expect(await drain(reader, 256 * 1024)).toBe(256 * 1024);
  await closed;
  closeSync(reader);
  closeSync(writer);
});

test('lines of two processes on one pipe are not mixed up', async () => {
  const { reader, writer } = openFifo(join(directory, 'fifo'), constants.O_WRONLY);
  const sinks = ['a', 'b'].map((mark) => ({ mark, sink: new LineSink(writer) }));
  const COUNT = 1000;
  for (const { mark, sink } of sinks) {
    sink.isShared = true;
    const lines = Array.from({ length: COUNT }, (_, index) => `${mark.repeat(50 + (index % 700))}\n`);
    sink.write(lines.join(''));
  }
  const bytes =
    sinks.length * Array.from({ length: COUNT }, (_, index) => 51 + (index % 700)).reduce((a, b) => a + b);
  const text = await read(reader, bytes);
  for (const { sink } of sinks) await sink.close();
  const lines = text.split('\n').slice(0, -1);
  expect(lines).toHaveLength(sinks.length * COUNT);
  expect(lines.filter((line) => !/^(a+|b+)$/.test(line))).toEqual([]);
  closeSync(reader);
  closeSync(writer);
});

test('a line longer than what the kernel keeps whole is written all the same', async () => {
  const file = join(directory, 'lines');
  const fd = openSync(file, 'w');
  const sink = new LineSink(fd);
  sink.isShared = true;
  const text = ['short', 'x'.repeat(10_000), 'short', 'y'.repeat(4095), 'z'.repeat(4096), 'end', ''].join(
    '\n',
  );
  sink.write(text);
  await sink.close();
  closeSync(fd);
  expect(readFileSync(file, 'utf8')).toBe(text);
});

test('what can not be written to a broken pipe is counted', async () => {
  const { reader, writer } = openFifo(join(directory, 'fifo'), constants.O_WRONLY);
  closeSync(reader);
  const sink = new LineSink(writer);
  sink.write('one\n');
  await sink.close();
  sink.write('two\nthree\n');
  await sink.close();
  expect(sink.dropped).toBe(3);
  closeSync(writer);
});

describeAsRoot('a full disk', () => {
  let disk: string;
  beforeEach(() => {
    disk = join(directory, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', disk]);
  });
  afterEach(() => execFileSync('umount', ['-l', disk]));

  test('costs lines, which are counted; where there is room again the next line begins on its own', async () => {
    const file = join(disk, 'lines');
    const filler = join(disk, 'filler');
    const fd = openSync(file, 'w');
    const sink = new LineSink(fd);
    const line = (n: number) => `{"n":${n},"pad":"${'x'.repeat(1000)}"}\n`;
    let sent = 0;
    const send = () => sink.write(line(sent++));
    writeFileSync(filler, Buffer.alloc(992 * 1024));
    await eventually('the disk to be full', () => {
      send();
      return sink.dropped > 0;
    });
    const droppedFirst = sink.dropped;
    await eventually('more lines to be lost', () => {
      send();
      return sink.dropped > droppedFirst + 1;
    });
    rmSync(filler);
    const firstAfter = sent;
    await eventually('lines to be written again', () => {
      send();
      return readFileSync(file, 'utf8').includes(line(firstAfter));
    });
    await sink.close();
    closeSync(fd);
    const written = readFileSync(file, 'utf8').trimEnd().split('\n');
    const whole = new Set(Array.from({ length: sent }, (_, n) => line(n).trimEnd()));
    const torn = written.filter((text) => !whole.has(text));
    expect(torn.length).toBeLessThanOrEqual(1);
    expect(written.length - torn.length + sink.dropped).toBe(sent);
    expect(written.at(-1)).toBe(line(sent - 1).trimEnd());
  });
});

test('a reader that has gone away does not end the process', async () => {
  const script = `
    import { LineSink } from ${JSON.stringify(new URL('../../dist/base/line-sink.js', import.meta.url).href)};
    const sink = new LineSink(1);
    const timer = setInterval(() => {
      sink.write('{}\\n');
      if (sink.dropped > 3) process.exit(7);
    }, 1);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  child.stdout.destroy();
  const status = await new Promise((resolve) => child.on('exit', resolve));
  expect(status).toBe(7);
});

function openFifo(path: string, flags: number): { reader: number; writer: number } {
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(path, flags) };
}

const drain = async (fd: number, bytes: number): Promise<number> => (await read(fd, bytes)).length;

async function read(fd: number, bytes: number): Promise<string> {
  const buffer = Buffer.alloc(64 * 1024);
  let text = '';
  while (text.length < bytes) {
    text += buffer.toString('latin1', 0, readAvailable(fd, buffer));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return text;
}

function readAvailable(fd: number, buffer: Buffer): number {
  try {
    return readSync(fd, buffer);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
    throw error;
  }
}
