/** Figures over what has been before them, or over how many there are of something, as a picture. */
import type uPlot from "uplot";
import type { Place, Row } from "../row.ts";
import { demand } from "./measure.ts";

/** A line with the band between its lowest and its highest round. */
interface Line {
  readonly name: string;
  readonly points: (readonly [x: number, y: number, low: number, high: number])[];
}

/** Lines of one kind: over the same count, in the same unit, about the same thing. */
interface Panel {
  readonly title: string;
  readonly over: string;
  readonly unit: string;
  readonly lines: Line[];
}

/** Figures of before say in their name after how many others they were measured: `a node, after 20,000 others`. */
const BEFORE = "a node by what has been before";
const AFTER = /^(?<name>.+), after (?<count>[\d,]+) others$/u;

const COLOURS = ["#1d4ed8", "#b45309", "#047857", "#be123c", "#6d28d9", "#0f766e"];
const SINGLE = { width: 960, height: 420 };
const SMALL = { width: 640, height: 320 };
/** From this quotient of the highest and the lowest on, an axis is logarithmic. */
const WIDE = 40;

/** The picture as the address of a PNG; undefined when no figure is one of a line. */
export async function plot(rows: readonly Row[]): Promise<string | undefined> {
  const panels = panelsOf(rows);
  if (panels.length === 0) return undefined;
  const { default: Plot } = await import("uplot"); // it looks at the page's language at once, which WebKit may not have
  const size = panels.length === 1 ? SINGLE : SMALL;
  const pictures: HTMLCanvasElement[] = [];
  for (const panel of panels) pictures.push(await paint(Plot, panel, size, panels.length > 1));
  return together(pictures);
}

function panelsOf(rows: readonly Row[]): Panel[] {
  const panels = new Map<string, Panel>();
  for (const row of rows) {
    const place = row.place ?? placeBefore(row.figure);
    if (!place) continue;
    const title = row.place ? (place.line.split(", ")[0] ?? "") : BEFORE;
    const key = JSON.stringify([title, place.over, row.unit]);
    const panel = panels.get(key) ?? { title, over: place.over, unit: row.unit, lines: [] };
    panels.set(key, panel);
    const name = row.place && place.line.startsWith(`${title}, `) ? place.line.slice(title.length + 2) : place.line;
    addPoint(panel, name, place.count, row.ours, rangeOf(row, "ours"));
    if (row.bound === null) continue;
    const beside = row.claimed ? "the document's claim" : "the bound";
    addPoint(panel, beside, place.count, row.bound, row.claimed ? undefined : rangeOf(row, "bound"));
  }
  return [...panels.values()].filter(({ lines }) => lines.every(({ points }) => points.length > 1));
}

type Range = readonly [low: number, high: number] | undefined;

const rangeOf = ({ spread }: Row, who: string): Range =>
  Object.entries(spread).find(([name]) => name.startsWith(who))?.[1];

/** In the order of the axis; the same claim stands beside several lines, and is one. */
function addPoint({ lines }: Panel, name: string, x: number, y: number, range: Range): void {
  let line = lines.find((one) => one.name === name);
  if (!line) lines.push((line = { name, points: [] }));
  if (line.points.some(([at]) => at === x)) return;
  const [low, high] = range ?? [y, y];
  line.points.push([x, y, low, high]);
  line.points.sort(([a], [b]) => a - b);
}

function placeBefore(figure: string): Place | undefined {
  const { name, count } = AFTER.exec(figure)?.groups ?? {};
  if (name === undefined || count === undefined) return undefined;
  return {
    line: name,
    over: "nodes that have ended before, in the same journal",
    count: Number(count.replaceAll(",", "")),
  };
}

async function paint(
  Plot: typeof uPlot,
  panel: Panel,
  size: { readonly width: number; readonly height: number },
  isTitled: boolean,
): Promise<HTMLCanvasElement> {
  const { lines } = panel;
  const xs = (lines[0]?.points ?? []).map(([x]) => x);
  for (const { points } of lines)
    demand(JSON.stringify(points.map(([x]) => x)) === JSON.stringify(xs), "the same places for all lines");
  const columns = lines.flatMap(({ points }) => [1, 2, 3].map((at) => points.map((point) => point[at] ?? NaN)));
  const chart = new Plot(optionsOf(Plot, panel, size, isTitled), [xs, ...columns], document.body);
  await new Promise((resolve) => setTimeout(resolve, 100)); // it draws when the page is idle
  const copy = document.createElement("canvas");
  const { canvas } = chart.ctx;
  [copy.width, copy.height] = [canvas.width, canvas.height];
  copy.getContext("2d")?.drawImage(canvas, 0, 0);
  chart.destroy();
  return copy;
}

function optionsOf(
  Plot: typeof uPlot,
  { lines, over, unit, title }: Panel,
  size: { readonly width: number; readonly height: number },
  isTitled: boolean,
): uPlot.Options {
  const xs = lines.flatMap(({ points }) => points.map(([x]) => x));
  const lows = lines.flatMap(({ points }) => points.map((point) => point[2]));
  const highest = Math.max(...lines.flatMap(({ points }) => points.map((point) => point[3])));
  const lowest = Math.min(...lows);
  const isLogX = Math.min(...xs) > 0 && Math.max(...xs) / Math.min(...xs) >= WIDE;
  const isLogY = lowest > 0 && highest / lowest >= WIDE;
  return {
    ...size,
    legend: { show: false },
    padding: [isTitled ? 34 : 20, 40, 0, 0],
    scales: {
      x: { time: false, ...(isLogX && { distr: 3, log: 10 }) },
      y: isLogY ? { distr: 3, log: 10 } : { range: [0, highest * 1.15] },
    },
    axes: [{ label: over }, { label: unit, size: 70 }],
    series: [{}, ...lines.flatMap((line, place) => seriesOf(line, colourOf(place)))],
    bands: lines.map((_line, place) => ({ series: [3 * place + 3, 3 * place + 2], fill: `${colourOf(place)}22` })),
    hooks: {
      drawClear: [
        ({ ctx, width, height }) => {
          ctx.fillStyle = "white";
          ctx.fillRect(0, 0, width * Plot.pxRatio, height * Plot.pxRatio);
        },
      ],
      draw: [
        (chart) => {
          name(chart, lines, Plot.pxRatio);
          if (isTitled) head(chart, title, Plot.pxRatio);
        },
      ],
    },
  };
}

const colourOf = (place: number): string => COLOURS[place % COLOURS.length] ?? "black";

/** Its medians, and without strokes the edges of the band around them. */
function seriesOf({ name }: Line, colour: string): uPlot.Series[] {
  const edge: uPlot.Series = { stroke: "transparent", points: { show: false } };
  return [{ label: name, stroke: colour, width: 2, points: { show: true, size: 7 } }, edge, edge];
}

/** Writes the name of each line over its last point. */
function name(chart: uPlot, lines: readonly Line[], pxRatio: number): void {
  const { ctx } = chart;
  ctx.save();
  ctx.font = `${String(13 * pxRatio)}px sans-serif`;
  ctx.textAlign = "right";
  for (const [place, line] of lines.entries()) {
    const [x = 0, y = 0] = line.points.at(-1) ?? [];
    ctx.fillStyle = colourOf(place);
    ctx.fillText(line.name, chart.valToPos(x, "x", true), chart.valToPos(y, "y", true) - 10 * pxRatio);
  }
  ctx.restore();
}

function head({ ctx, width }: uPlot, title: string, pxRatio: number): void {
  ctx.save();
  ctx.font = `bold ${String(15 * pxRatio)}px sans-serif`;
  ctx.textAlign = "center";
  ctx.fillStyle = "black";
  ctx.fillText(title, (width * pxRatio) / 2, 20 * pxRatio);
  ctx.restore();
}

/** In two columns when there is more than one. */
function together(pictures: readonly HTMLCanvasElement[]): string | undefined {
  const [first] = pictures;
  if (!first) return undefined;
  const columns = Math.min(2, pictures.length);
  const sheet = document.createElement("canvas");
  sheet.width = first.width * columns;
  sheet.height = first.height * Math.ceil(pictures.length / columns);
  const context = sheet.getContext("2d");
  if (!context) return undefined;
  context.fillStyle = "white";
  context.fillRect(0, 0, sheet.width, sheet.height);
  for (const [at, picture] of pictures.entries())
    context.drawImage(picture, (at % columns) * first.width, Math.floor(at / columns) * first.height);
  return sheet.toDataURL("image/png");
}
