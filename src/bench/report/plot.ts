/** A plot of lines as SVG, of colours that the page's style gives by class (page.ts). */
import { escapeHtml } from './escape.js';
import type { Scale } from './scale.js';

export interface Plot {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
  /** Places on the x axis to point at. */
  readonly marks?: readonly { readonly at: number; readonly words: string }[];
}

export interface Axis {
  readonly words: string;
  readonly scale: Scale;
  text(value: number): string;
}

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** What to compare with, not measured itself. */
  readonly dashed?: true;
}

const WIDTH = 560;
const HEIGHT = 310;
const MARGIN = { top: 54, right: 96, bottom: 44, left: 64 } as const;
const INNER = {
  width: WIDTH - MARGIN.left - MARGIN.right,
  height: HEIGHT - MARGIN.top - MARGIN.bottom,
} as const;
/** Between the names of lines that end near each other. */
const NAME_HEIGHT = 14;
/** Colours in the style. */
const COLOURS = 6;

const round = (value: number): number => Math.round(value * 10) / 10;

export function plotSvg(plot: Plot): string {
  const { title, x, y } = plot;
  const at = {
    x: (value: number) => round(MARGIN.left + x.scale.place(value) * INNER.width),
    y: (value: number) => round(MARGIN.top + (1 - y.scale.place(value)) * INNER.height),
  };
  return `<figure><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}">
<text class="title" x="0" y="16">${escapeHtml(title)}</text>
${gridOf(plot, at)}
${marksOf(plot, at)}
${plot.lines.map((line, index) => lineOf(line, index, plot, at)).join('\n')}
${namesOf(plot, at)}
</svg></figure>`;
}

interface Places {
  x(value: number): number;
  y(value: number): number;
}

const text = (place: { x: number; y: number }, words: string, kind: string): string =>
  `<text class="${kind}" x="${place.x}" y="${place.y}">${escapeHtml(words)}</text>`;

function gridOf({ x, y }: Plot, at: Places): string {
  const right = WIDTH - MARGIN.right;
  const bottom = HEIGHT - MARGIN.bottom;
  const rows = y.scale.ticks.map(
    (tick) =>
      `<line class="grid" x1="${MARGIN.left}" x2="${right}" y1="${at.y(tick)}" y2="${at.y(tick)}"/>` +
      text({ x: MARGIN.left - 8, y: at.y(tick) + 4 }, y.text(tick), 'tick end'),
  );
  const columns = x.scale.ticks.map((tick) =>
    text({ x: at.x(tick), y: bottom + 16 }, x.text(tick), 'tick middle'),
  );
  const axis = `<line class="axis" x1="${MARGIN.left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>`;
  const words = [
    text({ x: MARGIN.left + INNER.width / 2, y: HEIGHT - 8 }, x.words, 'words middle'),
    text({ x: 0, y: 33 }, y.words, 'words'),
  ];
  return [...rows, axis, ...columns, ...words].join('\n');
}

function marksOf({ marks = [] }: Plot, at: Places): string {
  return marks
    .map(({ at: value, words }) => {
      const x = at.x(value);
      const line = `<line class="mark" x1="${x}" x2="${x}" y1="${MARGIN.top}" y2="${HEIGHT - MARGIN.bottom}"/>`;
      const isRight = x > MARGIN.left + INNER.width / 2;
      const place = { x: isRight ? x - 5 : x + 5, y: MARGIN.top - 4 };
      return line + text(place, words, isRight ? 'mark-words end' : 'mark-words');
    })
    .join('\n');
}

function lineOf({ name, points, dashed }: Line, index: number, { x, y }: Plot, at: Places): string {
  const path = points.map(([px, py], nth) => `${nth === 0 ? 'M' : 'L'}${at.x(px)} ${at.y(py)}`).join('');
  const kind = `line ${dashed ? 'dashed' : `colour-${index % COLOURS}`}`;
  const dots = dashed
    ? []
    : points.map(
        ([px, py]) =>
          `<circle class="dot colour-${index % COLOURS}" cx="${at.x(px)}" cy="${at.y(py)}" r="3.5"><title>${escapeHtml(`${name}: ${y.text(py)} at ${x.text(px)}`)}</title></circle>`,
      );
  return [`<path class="${kind}" d="${path}"/>`, ...dots].join('');
}

/** At the end of each line, moved apart where they would cover each other. */
function namesOf({ lines }: Plot, at: Places): string {
  const ends = lines
    .map(({ name, points, dashed }, index) => {
      const [px = 0, py = 0] = points.at(-1) ?? [];
      return {
        name,
        x: at.x(px) + 8,
        y: at.y(py) + 4,
        kind: dashed ? 'name' : `name colour-${index % COLOURS}`,
      };
    })
    .sort((one, other) => one.y - other.y);
  let lowest = 0;
  return ends
    .map(({ name, x, y, kind }) => {
      lowest = Math.max(y, lowest + NAME_HEIGHT);
      return text({ x, y: lowest }, name, kind);
    })
    .join('\n');
}
