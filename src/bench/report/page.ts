/** The page of `--html`: one file without scripts and without anything from elsewhere, in the theme of its reader. */
import type { Report } from '../bench.js';
import { KNEE_WORDS } from '../knee.js';
import type { Replayed } from '../replay/outcome.js';
import { escapeHtml } from './escape.js';
import { plotSvg } from './plot.js';
import { type PlotGroup, plotGroups } from './plots.js';
import { REPLAY_LEGEND, replayPlots, replayRows, replayTitle } from './replay.js';
import { style } from './style.js';
import { tableRows } from './table.js';
import { headingText, LEGEND } from './text.js';

export const pageHtml = (report: Report): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>anyport bench</title>
<style>${style}</style>
</head>
<body>
<h1>${escapeHtml(report.replay ? replayTitle(report.replay) : 'What this machine carries')}</h1>
<p>${escapeHtml(headingText(report).trim())}</p>
<p><code>${escapeHtml(report.command)}</code></p>
${report.replay ? replayHtml(report, report.replay) : measuredHtml(report)}
</body>
</html>
`;

const measuredHtml = (report: Report): string => `${tableHtml(tableRows(report))}
${legendHtml(LEGEND)}
${notesHtml(report)}
${plotGroups(report).map(groupHtml).join('\n')}`;

const replayHtml = (report: Report, replay: Replayed): string => `${tableHtml(replayRows(replay))}
${legendHtml(REPLAY_LEGEND)}
${notesHtml(report)}
${groupHtml({ title: 'Over its time', plots: replayPlots(replay) })}`;

const legendHtml = (legend: string): string =>
  legend
    .trim()
    .split('\n')
    .map((line) => `<p class="small">${escapeHtml(line)}</p>`)
    .join('\n');

function tableHtml([head = [], ...rows]: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[], element: string): string =>
    `<tr>${row.map((cell) => `<${element}>${escapeHtml(cell)}</${element}>`).join('')}</tr>`;
  return `<div class="wide"><table><thead>${cells(head, 'th')}</thead>
<tbody>${rows.map((row) => cells(row, 'td')).join('\n')}</tbody></table></div>`;
}

const notesHtml = ({ notes }: Report): string =>
  notes.length === 0
    ? ''
    : `<ul class="notes">${notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('\n')}</ul>`;

function groupHtml({ title, plots, missing }: PlotGroup): string {
  const head = `<h2>${escapeHtml(title)}</h2>`;
  if (plots.length === 0)
    return `${head}\n<p class="small">Not measured. It takes ${escapeHtml(missing ?? '')}.</p>`;
  const hasKnee = plots.some(({ marks }) => marks !== undefined);
  const words = hasKnee ? `<p class="small">Knee: ${escapeHtml(KNEE_WORDS)}.</p>` : '';
  return `${head}\n${words}<div class="plots">${plots.map(plotSvg).join('\n')}</div>`;
}
