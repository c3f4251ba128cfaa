/** Error handlers: which failures they are for, and the edges by which they are reached. */
import type { Body, WorkflowEdge, WorkflowNode } from "./definition.ts";
import { errorAt, type Problem } from "./proofs/problem.ts";
import type { PlannedHandler } from "./graph.ts";

export type Handler = PlannedHandler["handler"];

/** The most handlers of a graph. */
const MAX_HANDLERS = 100;

export function isHandler(node: WorkflowNode): node is Handler {
  return node.type === "errorHandler";
}

/** It is no place for a token. */
export function actsInPlace(node: WorkflowNode): boolean {
  return isHandler(node) && node.action !== "route";
}

export function handlerProblems({ nodes, edges }: Body): Problem[] {
  const handlers = nodes.filter(isHandler);
  const problems: Problem[] = [];
  if (handlers.length > MAX_HANDLERS)
    problems.push(
      errorAt(
        "handler-invalid",
        `${String(handlers.length)} error handlers, where ${String(MAX_HANDLERS)} are the most`,
      ),
    );
  const ids = new Set(nodes.map(({ id }) => id));
  for (const handler of handlers) {
    const { id, action, scope = [], times, delay, backoff, output } = handler;
    const wrong = (message: string): void => {
      problems.push(errorAt("handler-invalid", `the error handler '${id}' ${message}`, id));
    };
    for (const name of scope) if (!ids.has(name)) wrong(`is for '${name}', which is no node`);
    for (const [name, value] of Object.entries({ times, delay, backoff }))
      if (value !== undefined && action !== "retry") wrong(`has '${name}', but doesn't retry`);
    if (backoff !== undefined && delay === undefined) wrong("has a 'backoff', but no 'delay'");
    if (handler.set && action !== "route") wrong("sets variables, but acts in place");
    if (output !== undefined && action !== "replace") wrong("has an 'output', but doesn't replace");
    if (output === undefined && action === "replace") wrong("needs an 'output' to replace what failed");
    const own = edges.filter(
      ({ from, to, on }) => (to === id && !on) || (action !== "route" && (from === id || to === id)),
    );
    if (own.length > 0)
      wrong(action === "route" ? "is reached by error edges only" : "acts in place and can have no edges");
  }
  return problems;
}

/** A year. */
const LONGEST = 365 * 86_400_000;

/** How long a node that has failed waits before it is begun anew for the time of this number, from 1 on. */
export function delayOf({ delay, backoff = 1 }: Handler, time: number): number | undefined {
  if (delay === undefined) return undefined;
  let span = delay;
  for (let at = 1; at < time && span < LONGEST; at++) span *= backoff; // not `**`, whose last digits differ between runtimes
  return Math.min(LONGEST, Math.round(span));
}

/** The edges that lead to handlers from the nodes of their scope, where none is drawn. */
export function handlerEdges({ nodes, edges }: Body): (WorkflowEdge & { readonly on: "error" })[] {
  return nodes.filter(isHandler).flatMap((handler) => {
    if (handler.action !== "route") return [];
    const { id: to, codes, scope } = handler;
    const drawn = new Set(edges.filter((edge) => edge.to === to).map(({ from }) => from));
    const named = scope ?? beforeOf({ nodes, edges }, to);
    return named
      .filter((from) => !drawn.has(from))
      .map((from) => ({ from, to, on: "error" as const, ...(codes && { codes }) }));
  });
}

/** All nodes but handlers and what comes behind this one. */
function beforeOf({ nodes, edges }: Body, handler: string): string[] {
  const outs = new Map<string, WorkflowEdge[]>();
  for (const edge of edges) {
    const known = outs.get(edge.from);
    if (known) known.push(edge);
    else outs.set(edge.from, [edge]);
  }
  const behind = new Set([handler]);
  for (const id of behind) for (const { to } of outs.get(id) ?? []) behind.add(to);
  return nodes.filter((node) => !isHandler(node) && !behind.has(node.id)).map(({ id }) => id);
}

/** An error edge or a handler with these codes is for failures with this one. */
export function isForCode(codes: readonly string[] | "all" | undefined, code: string): boolean {
  if (codes === undefined || codes === "all") return true;
  return codes.some((one) => (one.endsWith("*") ? code.startsWith(one.slice(0, -1)) : one === code));
}
