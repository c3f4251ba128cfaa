/** Pixels for a graph: columns from left to right where there is room, or one column from top to bottom. */
import type { Graph, GraphNode } from "./graph.ts";

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Wire {
  readonly from: string;
  readonly to: string;
  /** An SVG path. */
  readonly path: string;
}

export interface Placing {
  readonly width: number;
  readonly height: number;
  readonly wide: boolean;
  readonly boxes: ReadonlyMap<string, Box>;
  readonly wires: readonly Wire[];
}

const PAD = 20;
const BAR = 6;
const TASK_WIDTH = 150;
const LANE_GAP = 12;
const WIDE_FROM = 900;
const NARROWEST = 280;

/** Roomy while there is something to watch; close when the picture has become a summary. */
export type Density = "roomy" | "close";
const HEIGHTS = {
  roomy: { map: 132, task: 88, tallMap: 122, tallTask: 60 },
  close: { map: 88, task: 64, tallMap: 74, tallTask: 48 },
} as const;
type Heights = (typeof HEIGHTS)[Density];

const isBar = ({ kind }: GraphNode): boolean => kind === "parallel" || kind === "join" || kind === "decision";

/** Places a graph into a width. */
export function placeGraph(graph: Graph, room: number, density: Density): Placing {
  const width = Math.max(NARROWEST, room);
  const heights = HEIGHTS[density];
  return width >= WIDE_FROM ? placeWide(graph, width, heights) : placeTall(graph, width, heights);
}

function placeWide(graph: Graph, width: number, sizes: Heights): Placing {
  const columns = columnWidths(graph, width);
  const heights = graph.layers.map((layer) => stackHeight(layer, sizes));
  const height = Math.max(...heights) + PAD * 2;
  const boxes = new Map<string, Box>();
  let x = PAD;
  graph.layers.forEach((layer, at) => {
    const column = columns.widths[at] ?? 0;
    let y = (height - (heights[at] ?? 0)) / 2;
    for (const node of layer) {
      const own = heightOf(node, sizes);
      boxes.set(node.id, { x, y, width: column, height: own });
      y += own + LANE_GAP;
    }
    x += column + columns.gap;
  });
  for (const node of graph.nodes) if (isBar(node)) boxes.set(node.id, barBox(graph, node, boxes));
  return { width, height, wide: true, boxes, wires: wideWires(graph, boxes) };
}

function columnWidths({ layers }: Graph, width: number): { readonly widths: readonly number[]; readonly gap: number } {
  const elastic = layers.filter((layer) => layer.some(({ kind }) => kind === "map")).length;
  const fixed = layers.map((layer): number =>
    layer.every(isBar) ? BAR : layer.some(({ kind }) => kind === "map") ? 0 : TASK_WIDTH,
  );
  const gap = 28;
  const left = width - PAD * 2 - gap * (layers.length - 1) - fixed.reduce((sum, each) => sum + each, 0);
  const share = elastic === 0 ? 0 : Math.max(180, left / elastic);
  return { widths: fixed.map((each) => (each === 0 ? share : each)), gap };
}

function heightOf({ kind }: GraphNode, sizes: Heights): number {
  return kind === "map" ? sizes.map : sizes.task;
}

function stackHeight(layer: readonly GraphNode[], sizes: Heights): number {
  return layer.reduce((sum, node) => sum + heightOf(node, sizes), 0) + LANE_GAP * (layer.length - 1);
}

/** A bar spans whatever it is wired to, so that its wires are straight. */
function barBox({ edges }: Graph, { id }: GraphNode, boxes: ReadonlyMap<string, Box>): Box {
  const own = boxes.get(id) ?? { x: 0, y: 0, width: BAR, height: 0 };
  const others = edges.flatMap(({ from, to }) => (from === id ? [to] : to === id ? [from] : []));
  const spans = others.flatMap((other) => boxes.get(other) ?? []);
  const top = Math.min(...spans.map(({ y, height }) => y + height / 2)) - 18;
  const bottom = Math.max(...spans.map(({ y, height }) => y + height / 2)) + 18;
  return { x: own.x, y: top, width: BAR, height: bottom - top };
}

function wideWires({ edges, nodes }: Graph, boxes: ReadonlyMap<string, Box>): Wire[] {
  const bars = new Set(nodes.filter(isBar).map(({ id }) => id));
  return edges.flatMap(({ from, to }) => {
    const a = boxes.get(from);
    const b = boxes.get(to);
    if (!a || !b) return [];
    const middle = ({ y, height }: Box): number => y + height / 2;
    const y2 = bars.has(to) ? middle(a) : middle(b);
    const y1 = bars.has(from) ? middle(b) : middle(a);
    const [x1, x2] = [a.x + a.width, b.x];
    const bend = (x2 - x1) / 2;
    const straight = Math.abs(y1 - y2) < 1;
    const path = straight
      ? `M${round(x1)} ${round(y1)}H${round(x2)}`
      : `M${round(x1)} ${round(y1)}C${round(x1 + bend)} ${round(y1)} ${round(x2 - bend)} ${round(y2)} ${round(x2)} ${round(y2)}`;
    return [{ from, to, path }];
  });
}

const RAIL = 14;
const INDENT = 34;

/** One below the other beside a rail; what runs in parallel hangs on a second rail. */
function placeTall(graph: Graph, width: number, sizes: Heights): Placing {
  const boxes = new Map<string, Box>();
  let y = 16;
  for (const layer of graph.layers) {
    for (const node of layer) {
      const bar = isBar(node);
      const height = bar ? BAR : node.kind === "map" ? sizes.tallMap : sizes.tallTask;
      const x = bar ? RAIL - 4 : INDENT;
      boxes.set(node.id, { x, y, width: bar ? 26 : width - INDENT - 12, height });
      y += height + (bar ? 16 : 12);
    }
  }
  return { width, height: y + 4, wide: false, boxes, wires: tallWires(graph, boxes) };
}

function tallWires({ edges, layers }: Graph, boxes: ReadonlyMap<string, Box>): Wire[] {
  const crowded = new Set(layers.filter((layer) => layer.length > 1).flatMap((layer) => layer.map(({ id }) => id)));
  return edges.flatMap(({ from, to }) => {
    const a = boxes.get(from);
    const b = boxes.get(to);
    if (!a || !b) return [];
    const rail = crowded.has(from) || crowded.has(to) ? RAIL + 8 : RAIL;
    const y1 = Math.round(a.height === BAR ? a.y + BAR : a.y + a.height / 2);
    const y2 = Math.round(b.height === BAR ? b.y : b.y + b.height / 2);
    const start = a.height === BAR ? `M${rail} ${y1}` : `M${a.x} ${y1}H${rail}`;
    const end = b.height === BAR ? `V${y2}` : `V${y2}H${b.x}`;
    return [{ from, to, path: start + end }];
  });
}

const round = (value: number): number => Math.round(value * 10) / 10;
