/** What a command says beside its answer, on standard error: words of others may be in it, so it commands no terminal. */
import { visible } from '../base/text.js';

export const tellAside = (words: string): void => void process.stderr.write(`anyport: ${visible(words)}\n`);
