/** Reading with a judgement: what a check makes of an answer while it arrives. */
import type { Line } from './line.js';

/** Null: not enough has arrived. `isLast`: as in `Until`. */
export type Judge<Judgement> = (bytes: Buffer, isLast: boolean) => Judgement | null;

/** Reads until the answer can be judged, and takes all that has arrived. */
export async function judged<Judgement>(line: Line, judge: Judge<Judgement>): Promise<Judgement> {
  let judgement: Judgement | null = null;
  await line.read((bytes, isLast) => {
    judgement = judge(bytes, isLast);
    return judgement === null ? null : bytes.length;
  });
  // The read has rejected unless there was one.
  return judgement as Judgement;
}
