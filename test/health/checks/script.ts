/** An endpoint that answers by heart, over the inboxes of real lines: each of its answers may come in pieces. */
import {
  type CheckContext,
  type HealthCheck,
  type Outcome,
  type Over,
  overOf,
} from '../../../src/health/check.js';
import { DatagramInbox, Inbox } from '../../../src/health/inbox.js';
import { type Line, LineFault, type Until } from '../../../src/health/line.js';

export interface Script {
  /** Says the first answer before it is asked. */
  readonly speaksFirst?: true;
  /** One for each time that it is asked; over UDP each is a datagram. May be made from what was asked. */
  readonly answers: readonly (Buffer | ((asked: Buffer) => Buffer))[];
}

/** How an answer arrives: its pieces, with turns of the event loop between them. */
export type Cut = (answer: Buffer, index: number) => readonly Buffer[];

export const whole: Cut = (answer) => [answer];

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

export class ScriptedLine implements Line {
  readonly signal = new AbortController().signal;
  readonly sent: Buffer[] = [];
  readonly #inbox: Inbox | DatagramInbox;
  #answered = 0;

  constructor(
    over: Over,
    private readonly script: Script,
    private readonly cut: Cut,
    /** Closes behind its last answer. */
    private readonly closes: boolean,
  ) {
    this.#inbox = over === 'udp' ? new DatagramInbox() : new Inbox();
    if (script.speaksFirst) void this.#answer(Buffer.alloc(0));
  }

  write(bytes: Uint8Array | string): void {
    const asked = Buffer.from(bytes as Buffer);
    this.sent.push(asked);
    void this.#answer(asked);
  }

  read(until: Until): Promise<Buffer> {
    return this.#inbox.read(until);
  }

  async startTls(): Promise<never> {
    throw new Error('a script knows no TLS');
  }

  close(): void {}

  async #answer(asked: Buffer): Promise<void> {
    const index = this.#answered++;
    const said = this.script.answers[index] ?? Buffer.alloc(0);
    const answer = typeof said === 'function' ? said(asked) : said;
    for (const piece of this.cut(answer, index).filter(({ length }) => length > 0)) {
      this.#inbox.put(piece);
      await turn();
    }
    if (this.closes && index >= this.script.answers.length - 1) this.#end();
  }

  #end(): void {
    if (this.#inbox instanceof Inbox) this.#inbox.end();
    else this.#inbox.fail(new LineFault('is silent'));
  }
}

const context: CheckContext = {
  host: '192.0.2.1',
  port: 8080,
  serverName: 'web.example.com',
  upstream: 'web',
  endpoint: 'web.example.com:8080',
};

export interface Asked {
  readonly outcome: Outcome;
  readonly sent: readonly Buffer[];
}

/** As the caller of a check does. Whatever is no fault of the line is a fault of the check. */
export async function askScript(
  check: HealthCheck,
  options: object,
  script: Script,
  cut: Cut = whole,
  closes = true,
): Promise<Asked> {
  const line = new ScriptedLine(overOf(check, options), script, cut, closes);
  try {
    return { outcome: await check.run(line, options, context), sent: line.sent };
  } catch (error) {
    if (!(error instanceof LineFault)) throw error;
    return { outcome: { well: false, why: error.message }, sent: line.sent };
  }
}
