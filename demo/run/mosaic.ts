/** A map as a field of cells, one for an item (or for a few, when there are more items than room). */
import { SEVERITIES, type Severity } from "../audit.ts";

export interface MosaicInput {
  readonly width: number;
  readonly height: number;
  readonly total: number;
  readonly begun: number;
  /** Places of the items that are being worked on. */
  readonly running: ReadonlySet<number>;
  /** Places of the items that have begun and wait for a worker. */
  readonly waiting: ReadonlySet<number>;
  /** Places where something was found. */
  readonly hits?: ReadonlyMap<number, Severity> | undefined;
}

export type CellState = "pending" | "running" | "done" | Severity;

/** An SVG path of filled squares for each state that occurs. */
export type Mosaic = ReadonlyMap<CellState, string>;

const LARGEST = 13;
const SMALLEST = 4;

/** The cells' paths; items begin in order, so what has begun and neither runs nor waits is done. */
export function drawMosaic(input: MosaicInput): Mosaic {
  const { width, height, total } = input;
  const paths = new Map<CellState, string>();
  if (total === 0 || width <= 0 || height <= 0) return paths;
  const { pitch, columns, perCell } = fit(width, height, total);
  const size = pitch - (pitch > 6 ? 2 : 1);
  const cells = Math.ceil(total / perCell);
  for (let cell = 0; cell < cells; cell++) {
    const first = cell * perCell;
    const state = stateOf(first, Math.min(total, first + perCell) - 1, input);
    const x = (cell % columns) * pitch;
    const y = Math.floor(cell / columns) * pitch;
    paths.set(state, `${paths.get(state) ?? ""}M${x} ${y}h${size}v${size}h-${size}z`);
  }
  return paths;
}

function fit(width: number, height: number, total: number): { pitch: number; columns: number; perCell: number } {
  for (let pitch = LARGEST; pitch >= SMALLEST; pitch--) {
    const columns = Math.max(1, Math.floor(width / pitch));
    const room = columns * Math.max(1, Math.floor(height / pitch));
    if (room >= total) return { pitch, columns, perCell: 1 };
  }
  const columns = Math.max(1, Math.floor(width / SMALLEST));
  const room = columns * Math.max(1, Math.floor(height / SMALLEST));
  return { pitch: SMALLEST, columns, perCell: Math.ceil(total / room) };
}

function stateOf(first: number, last: number, { begun, running, waiting, hits }: MosaicInput): CellState {
  let worst: number = SEVERITIES.length;
  let pending = last >= begun;
  for (let item = first; item <= last; item++) {
    if (running.has(item)) return "running";
    pending ||= waiting.has(item);
    const hit = hits?.get(item);
    if (hit !== undefined) worst = Math.min(worst, SEVERITIES.indexOf(hit));
  }
  if (pending) return "pending";
  return SEVERITIES.find((_, at) => at === worst) ?? "done";
}
