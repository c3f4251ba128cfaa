/** The run as a picture: the workflow's graph, each node with its state, each map with its field of items. */
import { nothing, svg, html, type SVGTemplateResult, type TemplateResult } from "lit/html.js";
import type { AgentView } from "../../src/index.ts";
import { STEPS } from "../audit.ts";
import { count, duration } from "../page/format.ts";
import type { Scene } from "../page/scene.ts";
import type { GraphNode } from "../run/graph.ts";
import { drawMosaic } from "../run/mosaic.ts";
import { placeGraph, type Box, type Density, type Wire } from "../run/placing.ts";
import type { NodeState, Run } from "../run/run.ts";
import { iconPath, type IconName } from "./icons.ts";

export type Look = "pending" | "running" | "asking" | "completed" | "failed" | "skipped";

export function stage(scene: Scene): TemplateResult {
  const { ui, graph, run } = scene;
  if (ui.stageWidth === 0) return html``; // it is measured first
  const { width, height, wide, boxes, wires } = placeGraph(graph, ui.stageWidth, densityOf(run));
  const node = (one: GraphNode): SVGTemplateResult | typeof nothing => {
    const box = boxes.get(one.id);
    return box ? nodeView(scene, one, box, wide) : nothing;
  };
  const label = run ? `The steps of ${run.name}` : "The steps of an audit";
  return html`
    <svg class="stage-picture" width=${width} height=${height} role="group" aria-label=${label}>
      <g aria-hidden="true">${wires.map((wire) => wireView(wire, run))}</g>
      ${graph.nodes.map(node)}
    </svg>
  `;
}

/** Once a person is asked, or all is over, there is less to watch than to do. */
function densityOf(run: Run | undefined): Density {
  return run && run.status !== "running" && run.status !== "starting" ? "close" : "roomy";
}

function wireView({ from, to, path }: Wire, run: Run | undefined): SVGTemplateResult {
  const [a, b] = [run?.nodes.get(from)?.status, run?.nodes.get(to)?.status];
  const state = a !== "completed" ? "pending" : b === "running" && run?.status !== "waiting" ? "live" : "done";
  return svg`<path class="wire wire-${state}" d=${path} />`;
}

export function lookOf(node: NodeState | undefined): Look {
  if (node?.status === "running") return node.kind === "approval" ? "asking" : "running";
  return node?.status ?? "pending";
}

function nodeView(scene: Scene, node: GraphNode, box: Box, wide: boolean): SVGTemplateResult {
  const state = scene.run?.nodes.get(node.id);
  const look = lookOf(state);
  if (node.kind === "parallel" || node.kind === "join" || node.kind === "decision") {
    return svg`<rect class="bar bar-${look}" x=${box.x} y=${box.y} width=${box.width} height=${box.height} rx="3" aria-hidden="true" />`;
  }
  const words = statusWords(scene, node, state, look);
  const body =
    node.kind === "map" ? mapBody(scene, node, state, box, words) : taskBody(scene, node, state, box, wide, words);
  const drawn = svg`
    <g class="node node-${look} node-${node.kind}" transform="translate(${box.x} ${box.y})" role="img" aria-label=${`${node.title}: ${spoken(look)}${words === "" ? "" : `, ${words}`}`}>
      <rect class="node-box" width=${box.width} height=${box.height} rx="4" />
      ${body}
    </g>`;
  return look === "asking" ? svg`<a href="#review" class="node-link">${drawn}</a>` : drawn;
}

const SPOKEN: Readonly<Record<Look, string>> = {
  pending: "not begun",
  running: "running",
  asking: "waits for you",
  completed: "done",
  failed: "failed",
  skipped: "skipped",
};
const spoken = (look: Look): string => SPOKEN[look];

function statusWords({ ui, mirror }: Scene, node: GraphNode, state: NodeState | undefined, look: Look): string {
  if (!state) return "";
  const took = state.startedAt === undefined ? "" : duration((state.finishedAt ?? ui.now) - state.startedAt);
  switch (look) {
    case "running": {
      const progress = mirror.progress.get(state.id);
      if (mirror.tasks.get(state.id)?.status === "queued") return "waits for a worker";
      if (node.kind === "map") return `${count(state.done ?? 0)} of ${count(state.total ?? 0)}`;
      return progress ? `${String(Math.round(progress.fraction * 100))} %` : took;
    }
    case "asking":
      return "your turn";
    case "completed":
      if (node.kind === "map") return `${count(state.done ?? state.total ?? 0)} files, ${took}`;
      return node.kind === "approval" ? "decided" : took;
    case "failed":
      return "failed";
    case "skipped":
      return "skipped";
    case "pending":
      return "";
  }
}

const GLYPHS: Readonly<Record<Look, IconName | undefined>> = {
  pending: undefined,
  running: undefined,
  asking: "person",
  completed: "check",
  failed: "cross",
  skipped: "dash",
};

/** A sign of the state whose shape differs, not its colour alone. */
function glyph(look: Look, x: number, y: number): SVGTemplateResult {
  const name = GLYPHS[look];
  const inside = name ? iconPath(name) : svg`<circle cx="8" cy="8" r=${look === "running" ? 4 : 3.5} />`;
  return svg`<g class="glyph glyph-${look}" transform="translate(${x} ${y})">${inside}</g>`;
}

function taskBody(
  scene: Scene,
  node: GraphNode,
  state: NodeState | undefined,
  box: Box,
  wide: boolean,
  words: string,
): SVGTemplateResult {
  const fraction = state && scene.mirror.progress.get(state.id)?.fraction;
  const isWorking = lookOf(state) === "running" && fraction !== undefined;
  const [x, y] = wide ? [12, 45] : [32, box.height / 2 + 15];
  const titleY = wide ? 23 : box.height / 2 - 3;
  const status = scene.run
    ? svg`<text class="node-status" x=${x} y=${y}>${words}</text>`
    : about(node, { x, y, characters: Math.floor((box.width - x - 8) / 7), lines: wide ? 2 : 1 });
  const bar = svg`
    <rect class="node-track" x="0" y=${box.height - 4} width=${box.width} height="4" />
    <rect class="node-fill" x="0" y=${box.height - 4} width=${Math.round(box.width * (fraction ?? 0))} height="4" />`;
  return svg`
    ${glyph(lookOf(state), 10, titleY - 13)}
    <text class="node-title" x="32" y=${titleY}>${node.title}</text>
    ${status} ${lamps(scene, node, box.width - 12, wide ? box.height - 14 : box.height / 2)} ${isWorking ? bar : nothing}`;
}

interface Lines {
  readonly x: number;
  readonly y: number;
  /** In a line. */
  readonly characters: number;
  readonly lines: number;
}

/** What the node is for, before there is a run. */
function about({ id }: GraphNode, { x, y, characters, lines: most }: Lines): SVGTemplateResult {
  const lines: string[] = [];
  for (const word of (STEPS[id]?.about ?? "").split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < characters) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return svg`<text class="node-about" y=${y}>${lines
    .slice(0, most)
    .map((line, at) => svg`<tspan x=${x} dy=${at === 0 ? 0 : 16}>${line}</tspan>`)}</text>`;
}

function mapBody(
  scene: Scene,
  node: GraphNode,
  state: NodeState | undefined,
  box: Box,
  words: string,
): SVGTemplateResult {
  const lampRoom = box.height > 110 ? 22 : 8;
  const field = { width: box.width - 24, height: box.height - 36 - lampRoom };
  return svg`
    ${glyph(lookOf(state), 10, 10)}
    <text class="node-title" x="32" y="23">${node.title}</text>
    <text class="node-count" x=${box.width - 12} y="23">${words}</text>
    <g transform="translate(12 36)">${state ? mosaic(scene, state, field) : emptyField(field)}</g>
    ${scene.run ? (lampRoom > 8 ? lamps(scene, node, box.width - 12, box.height - 12) : nothing) : about(node, { x: 12, y: box.height - 13, characters: Math.floor((box.width - 20) / 7), lines: 1 })}`;
}

const NONE: ReadonlySet<number> = new Set();

/** Cells that wait for a code base. */
function emptyField({ width, height }: Field): SVGTemplateResult {
  const cells = drawMosaic({
    width,
    height,
    total: Math.floor(width / 13) * Math.floor(height / 13),
    begun: 0,
    running: NONE,
    waiting: NONE,
  });
  return svg`<path class="cell-pending" d=${cells.get("pending") ?? ""} />`;
}

interface Field {
  readonly width: number;
  readonly height: number;
}

function mosaic({ mirror, hits }: Scene, state: NodeState, field: Field): SVGTemplateResult {
  const { total = 0, begun = 0, node, execution } = state;
  const [running, waiting] = [new Set<number>(), new Set<number>()];
  for (const { parent, status } of mirror.tasks.values()) {
    if (parent?.index === undefined || parent.node !== node || parent.execution !== execution) continue;
    if (status === "assigned" || status === "running") running.add(parent.index);
    else if (status === "queued" || status === "retrying") waiting.add(parent.index);
  }
  const done = state.status === "completed" ? total : begun;
  const drawing = drawMosaic({ ...field, total, begun: done, running, waiting, hits: hits.get(node) });
  return svg`${[...drawing].map(([cell, path]) => svg`<path class="cell-${cell}" d=${path} />`)}`;
}

/** A lamp for each worker that serves the node, lit while it works. */
function lamps({ mirror, run }: Scene, node: GraphNode, right: number, y: number): SVGTemplateResult | typeof nothing {
  if (!run || run.finishedAt !== undefined) return nothing;
  const agents = [...mirror.agents.values()].filter((agent) => serves(agent, node));
  const links = agents.reduce((sum, agent) => sum + agent.links, 0);
  const busy = agents.reduce((sum, { running, slots }) => sum + Math.ceil(running / slots), 0);
  if (links === 0) return nothing;
  return svg`<g class="lamps">${Array.from(
    { length: Math.min(links, 8) },
    (_, at) => svg`<circle class=${at < busy ? "lamp lamp-on" : "lamp"} cx=${right - 4 - at * 11} cy=${y} r="3.5" />`,
  )}</g>`;
}

const serves = ({ capabilities }: AgentView, node: GraphNode): boolean =>
  node.capabilities.length > 0 && node.capabilities.every((one) => capabilities.includes(one));
