/**
 * A wrong wall clock for one running process, on x86-64: its copy of the vDSO is written over. Programs of Go, etcd among
 * them, ask no libc for the time, so libfaketime does not reach them, and time namespaces have no wall clock (time_namespaces(7)).
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync, writeSync } from 'node:fs';
import { eventually } from './wait.js';

const SHT_DYNSYM = 11;

/** Where the seconds belong. */
const SECONDS = Buffer.from('5ec05ec0', 'hex');

/** The system call, and the seconds added where the wall clock was asked for. */
const clocks = [
  {
    symbol: '__vdso_clock_gettime',
    code: [
      'b8 e4 00 00 00', // mov eax, 228 (clock_gettime)
      '0f 05', // syscall
      '85 ff', // test edi, edi (CLOCK_REALTIME is 0)
      '75 07', // jne to ret
      '48 81 06 5e c0 5e c0', // add qword [rsi], seconds
      'c3', // ret
    ],
  },
  {
    symbol: '__vdso_gettimeofday',
    code: [
      'b8 60 00 00 00', // mov eax, 96 (gettimeofday)
      '0f 05', // syscall
      '48 85 ff', // test rdi, rdi (only the time zone is wanted)
      '74 07', // je to ret
      '48 81 07 5e c0 5e c0', // add qword [rdi], seconds
      'c3', // ret
    ],
  },
] as const;

const codeOf = (code: readonly string[]): Buffer => Buffer.from(code.join('').replaceAll(' ', ''), 'hex');

/** The process is stopped meanwhile, and again if one of its threads was just reading a clock. */
export async function shiftWallClock(pid: number, seconds: number): Promise<void> {
  const vdso = vdsoOf(pid);
  await eventually(`process ${pid} to stop outside of its vDSO`, () => {
    process.kill(pid, 'SIGSTOP');
    const isOutside = isStoppedOutside(pid, vdso);
    if (isOutside) overwrite(pid, vdso, seconds);
    process.kill(pid, 'SIGCONT');
    return isOutside;
  });
}

interface Vdso {
  readonly start: number;
  readonly size: number;
}

/** By the program counter, the last field of a stopped thread (proc_pid_syscall(5)). */
function isStoppedOutside(pid: number, { start, size }: Vdso): boolean {
  return readdirSync(`/proc/${pid}/task`).every((thread) => {
    const fields = readFileSync(`/proc/${pid}/task/${thread}/syscall`, 'utf8').trim().split(' ');
    const counter = Number(fields.at(-1));
    return fields[0] !== 'running' && (counter < start || counter >= start + size);
  });
}

function overwrite(pid: number, { start, size }: Vdso, seconds: number): void {
  const memory = openSync(`/proc/${pid}/mem`, 'r+');
  try {
    const image = Buffer.alloc(size);
    readSync(memory, image, 0, size, start);
    for (const { symbol, code } of clocks) {
      const shifted = codeOf(code);
      shifted.writeInt32LE(seconds, shifted.indexOf(SECONDS));
      writeSync(memory, shifted, 0, undefined, start + offsetOf(symbol, image));
    }
  } finally {
    closeSync(memory);
  }
}

function vdsoOf(pid: number): Vdso {
  const line = /^([0-9a-f]+)-([0-9a-f]+) .*\[vdso\]$/m.exec(readFileSync(`/proc/${pid}/maps`, 'utf8'));
  if (line === null) throw new Error(`process ${pid} has no vDSO`);
  const [start, end] = [line[1], line[2]].map((text) => Number.parseInt(text ?? '', 16)) as [number, number];
  return { start, size: end - start };
}

/** Of a dynamic symbol in a 64-bit ELF image that is linked to address 0 (elf(5)). */
function offsetOf(name: string, image: Buffer): number {
  const u64 = (at: number) => Number(image.readBigUInt64LE(at));
  const [table, entrySize, count] = [u64(0x28), image.readUInt16LE(0x3a), image.readUInt16LE(0x3c)];
  const heads = Array.from({ length: count }, (_, index) => table + index * entrySize);
  const head = heads.find((at) => image.readUInt32LE(at + 4) === SHT_DYNSYM);
  if (head === undefined) throw new Error('the vDSO has no table of symbols');
  const names = u64((heads[image.readUInt32LE(head + 0x28)] as number) + 0x18);
  const [from, size] = [u64(head + 0x18), u64(head + 0x20)];
  for (let symbol = from; symbol < from + size; symbol += 24) {
    const at = names + image.readUInt32LE(symbol);
    if (image.toString('latin1', at, image.indexOf(0, at)) === name) return u64(symbol + 8);
  }
  throw new Error(`the vDSO has no ${name}`);
}
