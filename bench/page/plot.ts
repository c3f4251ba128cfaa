/** Figures over what has been before them, as a picture. */
import uPlot from "uplot";
import type { Row } from "../row.ts";
import { demand } from "./measure.ts";

/** A line with the band between its lowest and its highest round. */
interface Line {
  readonly name: string;
  readonly unit: string;
  readonly points: readonly (readonly [x: number, y: number, low: number, high: number])[];
}

/** Figures whose name says after how many others they were measured: `a node, after 20,000 others`. */
const AFTER = /^(?<name>.+), after (?<count>[\d,]+) others$/u;

const COLOURS = ["#1d4ed8", "#b45309", "#047857"];
const SIZE = { width: 960, height: 420 };

/** The picture as the address of a PNG; undefined when nothing was measured after so many others. */
export async function plot(rows: readonly Row[]): Promise<string | undefined> {
  const lines = linesOf(rows);
  const [first] = lines;
  if (!first) return undefined;
  const xs = first.points.map(([x]) => x);
  for (const { points } of lines) demand(points.length === xs.length, "the same places for all lines");
  const highest = Math.max(...lines.flatMap(({ points }) => points.map((point) => point[3])));
  const options: uPlot.Options = {
    ...SIZE,
    legend: { show: false },
    padding: [20, 40, 0, 0],
    scales: { x: { time: false }, y: { range: [0, highest * 1.1] } },
    axes: [
      { label: "nodes that have ended before, in the same journal" },
      { label: `${first.unit} for a node`, size: 60 },
    ],
    series: [{}, ...lines.flatMap((line, place) => seriesOf(line, COLOURS[place % COLOURS.length] ?? "black"))],
    bands: lines.map((_line, place) => ({ series: [3 * place + 3, 3 * place + 2], fill: `${COLOURS[place] ?? ""}22` })),
    hooks: {
      drawClear: [
        ({ ctx, width, height }) => {
          ctx.fillStyle = "white";
          ctx.fillRect(0, 0, width * uPlot.pxRatio, height * uPlot.pxRatio);
        },
      ],
      draw: [
        (chart) => {
          name(chart, lines);
        },
      ],
    },
  };
  const columns = lines.flatMap(({ points }) => [1, 2, 3].map((at) => points.map((point) => point[at] ?? NaN)));
  const chart = new uPlot(options, [xs, ...columns], document.body);
  await new Promise((resolve) => setTimeout(resolve, 100)); // it draws when the page is idle
  const picture = chart.ctx.canvas.toDataURL("image/png");
  chart.destroy();
  return picture;
}

function linesOf(rows: readonly Row[]): Line[] {
  const lines = new Map<string, Line & { readonly points: Line["points"][number][] }>();
  for (const { figure, unit, ours, spread } of rows) {
    const { name = "", count = "" } = AFTER.exec(figure)?.groups ?? {};
    if (count === "") continue;
    const [low, high] = spread["ours"] ?? [ours, ours];
    const line = lines.get(name) ?? { name, unit, points: [] };
    line.points.push([Number(count.replaceAll(",", "")), ours, low, high]);
    lines.set(name, line);
  }
  return [...lines.values()];
}

/** Its medians, and without strokes the edges of the band around them. */
function seriesOf({ name }: Line, colour: string): uPlot.Series[] {
  const edge: uPlot.Series = { stroke: "transparent", points: { show: false } };
  return [{ label: name, stroke: colour, width: 2, points: { show: true, size: 7 } }, edge, edge];
}

/** Writes the name of each line over its last point. */
function name(chart: uPlot, lines: readonly Line[]): void {
  const { ctx } = chart;
  ctx.save();
  ctx.font = `${String(14 * uPlot.pxRatio)}px sans-serif`;
  ctx.textAlign = "right";
  for (const [place, line] of lines.entries()) {
    const [x = 0, y = 0] = line.points.at(-1) ?? [];
    ctx.fillStyle = COLOURS[place % COLOURS.length] ?? "black";
    ctx.fillText(line.name, chart.valToPos(x, "x", true), chart.valToPos(y, "y", true) - 18);
  }
  ctx.restore();
}
