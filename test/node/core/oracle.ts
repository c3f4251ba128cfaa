/**
 * Random workflows, and what has to come of them, reckoned from the rules alone:
 * every edge is taken or dead in the end; a node waits for all of its inlets, a join for as many live ones as it says;
 * a node that can't be reached alive is skipped and makes its edges dead; a failure goes along the error edges that are
 * for it, and fails the run when there are none. Maps and loops run a task or a graph of their own, drawn in the same way.
 */
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import type { Chance } from "./chance.ts";
import { drawGate, type Gate } from "./gates.ts";

type Kind = "task" | "map" | "loop" | "subworkflow" | "decision" | "parallel" | "join" | "approval";

/** What a condition says once its node has ended: whether the edge is taken, or that it can't be told. */
type Verdict = (fates: ReadonlyMap<string, Fate>) => boolean | "broken";

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly when?: string | undefined;
  readonly verdict: Verdict;
  /** Of an error edge: the codes that it is for, or that it is for all. */
  readonly codes?: readonly string[] | "all" | undefined;
}

export interface Part {
  readonly id: string;
  readonly kind: Kind;
  /** Of a join: how many live inlets start it; undefined for all that are alive. */
  readonly needs?: number | undefined;
  /** Of a join that has one: what it waits for. */
  readonly gate?: Gate | undefined;
  readonly first: boolean;
  readonly delay: number;
  /** The work itself fails: a task, an item of a map that doesn't collect, a rejection that isn't to be followed. */
  readonly fails: boolean;
  readonly items: readonly ("fine" | "bad")[];
  readonly answer: "approve" | "reject" | "timeout";
  /** What it puts out when it ends well; undefined: nothing. */
  readonly output: unknown;
  /** The code of its failure; undefined when it depends on what fails first in its graph. */
  readonly code?: string | undefined;
  /** The graph that a map runs for each item, a loop for each iteration, and a subworkflow once. */
  readonly inner?: Script | undefined;
  /** Of a loop: its iterations, and the most that it allows. */
  readonly turns?: readonly [turns: number, max: number];
}

export interface Script {
  readonly workflow: WorkflowInput;
  readonly input: { readonly flags: readonly boolean[]; readonly lists: Readonly<Record<string, readonly string[]>> };
  readonly parts: ReadonlyMap<string, Part>;
  readonly edges: readonly Edge[];
}

/** caught: it fails, and the run goes on along its error edges. */
export type Fate = "completed" | "skipped" | "failed" | "caught" | "unreached";

const always: Verdict = () => true;

/** Draws a workflow. It may be one that is refused, as joins that can never go on are. */
export function drawScript(chance: Chance, name: string, depth = 0): Script {
  const count = 1 + chance.below(depth > 0 ? 4 : chance.once(4) ? 14 : 7);
  const parts = new Map<string, Part>();
  const ids = Array.from({ length: count }, (_none, at) => `n${String(at)}`);
  const raw: [string, string][] = [];
  const density = 1 + chance.below(4);
  for (const [to, target] of ids.entries())
    for (const source of ids.slice(0, to)) if (chance.once(density)) raw.push([source, target]);
  const flags = Array.from({ length: 6 }, () => chance.once(2));
  for (const id of ids) {
    const inlets = raw.filter(([, to]) => to === id).map(([from]) => from);
    parts.set(
      id,
      drawPart(
        chance,
        id,
        inlets,
        depth < 2 && chance.once(3) ? () => drawScript(chance, `${name}_${id}`, depth + 1) : undefined,
      ),
    );
  }
  const isTimeless = [...parts.values()].every(({ needs, gate }) => needs === undefined && !gate);
  const edges: Edge[] = [];
  for (const source of ids) {
    const part = parts.get(source);
    const outs = chance.shuffle(raw.filter(([from]) => from === source).map(([, to]) => to));
    const elders = isTimeless ? eldersOf(raw, source).filter((id) => parts.get(id)?.kind === "task") : [];
    if (!part) continue;
    const fallback = chance.below(outs.length);
    for (const [place, to] of outs.entries()) {
      if (part.kind !== "decision" && chance.once(5)) {
        edges.push({ from: source, to, verdict: always, codes: drawCodes(chance, part) });
        if (!chance.once(3)) continue; // or the same two nodes are joined by both kinds of edges
      }
      const isDefault = part.first && place === fallback;
      const open = part.kind === "decision" ? isDefault : chance.once(2);
      edges.push({
        from: source,
        to,
        ...(open ? { verdict: always } : drawCondition(chance, part, flags, elders, parts)),
      });
    }
    if (part.kind === "decision" && outs.length === 0) parts.set(source, { ...part, kind: "parallel", first: false });
  }
  const lists = Object.fromEntries([...parts.values()].map(({ id, items }) => [id, items]));
  const nodes = [...parts.values()].map((part) => nodeOf(chance, part));
  const workflow: WorkflowInput = {
    id: name,
    nodes: chance.shuffle(nodes),
    edges: edges.map(({ from, to, when, codes }) => ({
      from,
      to,
      ...(when !== undefined && { when }),
      ...(codes && { on: "error" as const }),
      ...(Array.isArray(codes) && { codes: [...(codes as string[])] }),
    })),
  };
  return { workflow, input: { flags, lists }, parts, edges };
}

function drawCodes(chance: Chance, { inner }: Part): NonNullable<Edge["codes"]> {
  if (inner) return "all";
  return chance.pick(["all", "all", ["bad", "x/*"], ["approval/*", "workflow/*"]] as const);
}

function drawPart(chance: Chance, id: string, sources: readonly string[], drawInner: (() => Script) | undefined): Part {
  const kinds = [
    "task",
    "task",
    "task",
    "map",
    "loop",
    "subworkflow",
    "decision",
    "parallel",
    "join",
    "join",
    "approval",
  ] as const;
  const kind = chance.pick<Kind>(kinds);
  const delay = chance.below(50);
  const none = {
    id,
    kind,
    first: false,
    delay,
    fails: false,
    items: [],
    answer: "approve",
    output: undefined,
  } as const;
  const rarely = chance.once(15);
  switch (kind) {
    case "task":
      return { ...none, fails: rarely, output: chance.below(4), code: "bad" };
    case "subworkflow":
    case "loop":
    case "map":
      return drawRepeated(chance, none, rarely, drawInner);
    case "approval": {
      const answer = chance.pick(["approve", "approve", "approve", "reject", "timeout"] as const);
      const onTimeout = chance.once(3);
      const approved = answer === "approve" || (answer === "timeout" && onTimeout);
      const follows = !rarely;
      const by = answer === "timeout" ? "timeout" : "ann";
      const reason = answer === "timeout" ? "nobody answered in time" : null;
      // `first`: a timeout approves; `needs` 1: a rejection is followed
      const output = { approved, by, reason, data: null };
      return {
        ...none,
        answer,
        first: onTimeout,
        needs: undefined,
        fails: !approved && !follows,
        output,
        code: "approval/rejected",
      };
    }
    case "join": {
      if (sources.length === 0 || chance.once(3)) return none;
      if (chance.once(2)) return { ...none, gate: drawGate(chance, sources) };
      return { ...none, needs: 1 + chance.below(sources.length) };
    }
    case "decision":
      return { ...none, first: chance.once(2) };
    case "parallel":
      return none;
  }
}

/** A map, a loop, or a subworkflow, which is a task where no graph may be drawn. */
function drawRepeated(chance: Chance, none: Part, rarely: boolean, drawInner: (() => Script) | undefined): Part {
  const inner = drawInner?.();
  const fates = inner && foretell(inner);
  const doomed = fates !== undefined && [...fates.values()].includes("failed");
  const outcome: unknown = inner && fates && foretellOutput(inner, fates);
  if (none.kind === "subworkflow") {
    if (!inner) return { ...none, kind: "task", fails: rarely, output: chance.below(4), code: "bad" };
    return { ...none, fails: doomed, output: outcome, inner };
  }
  if (none.kind === "loop") {
    const turns = 1 + chance.below(3);
    const max = rarely ? turns - 1 : turns + chance.below(3);
    const code = max < turns && max > 0 ? "workflow/loop-exceeded" : undefined;
    const bounds = [turns, Math.max(1, max)] as const;
    const isShort = bounds[1] < turns;
    if (inner) return { ...none, fails: doomed || isShort, output: outcome, inner, turns: bounds };
    return { ...none, fails: isShort, output: chance.below(4), turns: bounds, code };
  }
  const items = Array.from({ length: chance.pick([0, 1, 2, 5, 12]) }, () =>
    !inner && chance.once(20) ? "bad" : "fine",
  );
  if (inner) {
    const list = items.slice(0, 2);
    return { ...none, items: list, fails: doomed && list.length > 0, output: list.map(() => outcome), inner };
  }
  const collects = !rarely;
  const output = items.map((item) => (item === "fine" ? item : { error: { code: "bad", message: "bad item" } }));
  return { ...none, items, first: collects, fails: !collects && items.includes("bad"), output, code: "bad" };
}

function nodeOf(
  chance: Chance,
  { id, kind, needs, gate, first, fails, answer, output, inner, turns: [turns, max] = [1, 1] }: Part,
): WorkflowInput["nodes"][number] {
  const jitter = "none" as const;
  const work = { capabilities: ["work"], retry: { maxAttempts: 3, base: 1, jitter } };
  switch (kind) {
    case "task":
      return { id, type: "task", ...work };
    case "map": {
      const onError = first ? "collect" : "fail";
      const ran = inner ? { body: bodyOf(inner) } : { task: work };
      return { id, type: "map", items: `input.lists.${id}`, concurrency: 1 + chance.below(4), onError, ...ran };
    }
    case "loop": {
      const ran = inner ? { body: bodyOf(inner) } : { task: work };
      const goesOn = chance.once(2)
        ? { while: `index < ${String(turns)}` }
        : { until: `index == ${String(turns - 1)}` };
      return { id, type: "loop", max, ...goesOn, ...ran };
    }
    case "subworkflow":
      return { id, type: "subworkflow", workflow: inner?.workflow.id ?? "", input: JSON.stringify(inner?.input) };
    case "approval": {
      const onReject = fails || (output as { approved: boolean }).approved ? "fail" : "continue";
      const timeout = answer === "timeout" ? { timeout: 20 } : {};
      return { id, type: "approval", message: "?", onReject, onTimeout: first ? "approve" : "reject", ...timeout };
    }
    case "join":
      if (gate) return { id, type: "join", mode: { when: gate.text } };
      return { id, type: "join", mode: needs === undefined ? "all" : needs === 1 ? "any" : needs };
    case "decision":
      return { id, type: "decision", mode: first ? "first" : "all" };
    case "parallel":
      return { id, type: "parallel" };
  }
}

/** Its graph as a body; what it is told is a literal. */
function bodyOf({ workflow: { nodes, edges = [] }, input }: Script): {
  readonly nodes: WorkflowInput["nodes"];
  readonly edges: NonNullable<WorkflowInput["edges"]>;
  readonly input: string;
} {
  return { nodes, edges, input: JSON.stringify(input) };
}

/** It, and before it those that its nodes run by name. */
export function graphsOf(script: Script): Script[] {
  const inner = [...script.parts.values()].flatMap(({ kind, inner: graph }) => {
    const graphs = graph ? graphsOf(graph) : [];
    return kind === "subworkflow" ? graphs : graphs.slice(0, -1);
  });
  return [...inner, script];
}

function drawCondition(
  chance: Chance,
  { id, kind, output }: Part,
  flags: readonly boolean[],
  elders: readonly string[],
  parts: ReadonlyMap<string, Part>,
): { readonly when: string; readonly verdict: Verdict } {
  const own = chance.once(2);
  if (own && kind === "task" && typeof output === "number")
    return { when: `nodes.${id}.output > 1`, verdict: () => output > 1 };
  if (own && kind === "map")
    return { when: `size(nodes['${id}'].output) >= 2`, verdict: () => (output as unknown[]).length >= 2 };
  if (own && kind === "approval")
    return { when: `nodes.${id}.output.approved`, verdict: () => (output as { approved: boolean }).approved };
  const elder = chance.once(3) && elders.length > 0 ? chance.pick(elders) : undefined;
  if (elder !== undefined) {
    const isHigh = Number(parts.get(elder)?.output) > 1;
    const when = `has(nodes.${elder}.output) && nodes.${elder}.output > 1`;
    return { when, verdict: (fates) => fates.get(elder) === "completed" && isHigh };
  }
  if (chance.once(60)) return { when: chance.pick(["input.flags", "input.nothing"]), verdict: () => "broken" };
  const flag = chance.below(flags.length);
  return { when: `input.flags[${String(flag)}]`, verdict: () => flags[flag] === true };
}

function eldersOf(raw: readonly (readonly [string, string])[], id: string): string[] {
  const found = new Set<string>();
  const open = [id];
  for (let at = open.pop(); at !== undefined; at = open.pop())
    for (const [from, to] of raw)
      if (to === at && !found.has(from)) {
        found.add(from);
        open.push(from);
      }
  return [...found];
}

/** How each node has to end if the run isn't ended before; `failed` ones fail the run. */
export function foretell({ parts, edges }: Script): ReadonlyMap<string, Fate> {
  const fates = new Map<string, Fate>();
  const taken = new Map<Edge, boolean>(); // edges without an entry are never resolved
  for (const part of parts.values()) {
    const inlets = edges.filter(({ to }) => to === part.id);
    const live = inlets.filter((edge) => taken.get(edge) === true).length;
    const dead = inlets.filter((edge) => taken.get(edge) === false).length;
    const outs = edges.filter(({ from }) => from === part.id);
    let fate: Fate = "unreached";
    if (part.gate) {
      const known = inlets.filter((edge) => taken.has(edge));
      const isAlive = (id: string): boolean => known.some((edge) => edge.from === id && taken.get(edge) === true);
      if (part.gate.holds(new Map(known.map(({ from }) => [from, isAlive(from)])))) fate = "completed";
      else if (known.length === inlets.length) fate = "skipped";
    } else if (part.needs === undefined) {
      if (live + dead === inlets.length) fate = live > 0 || inlets.length === 0 ? "completed" : "skipped";
    } else if (live >= part.needs) fate = "completed";
    else if (inlets.length - dead < part.needs) fate = "skipped";
    if (fate === "completed" && (part.fails || !follow(part, outs, fates, taken))) {
      const code = part.fails ? part.code : "expression/failed";
      fate = escape(outs, code, taken) ? "caught" : "failed";
    }
    if (fate === "skipped") for (const edge of outs) taken.set(edge, false);
    fates.set(part.id, fate);
  }
  return fates;
}

/** Resolves the edges of a node that failed; false when none is for it. */
function escape(outs: readonly Edge[], code: string | undefined, taken: Map<Edge, boolean>): boolean {
  const isFor = ({ codes }: Edge): boolean =>
    codes === "all" ||
    (codes?.some((one) => (one.endsWith("/*") ? code?.startsWith(one.slice(0, -1)) : one === code)) ?? false);
  const escapes = outs.filter(isFor);
  if (escapes.length === 0) return false;
  for (const edge of outs) taken.set(edge, escapes.includes(edge));
  return true;
}

/** Resolves the edges of a node that ended well; false when a condition breaks. */
function follow(
  { kind, first }: Part,
  outs: readonly Edge[],
  fates: Map<string, Fate>,
  taken: Map<Edge, boolean>,
): boolean {
  const isFirst = kind === "decision" && first;
  const verdicts = new Map<Edge, boolean>();
  let isDecided = false;
  for (const edge of outs) {
    if (edge.codes) {
      verdicts.set(edge, false);
      continue;
    }
    if (isFirst && (isDecided || edge.when === undefined)) {
      verdicts.set(edge, false);
      continue;
    }
    const verdict = edge.verdict(fates);
    if (verdict === "broken") return false;
    verdicts.set(edge, verdict);
    isDecided ||= verdict;
  }
  for (const [edge, verdict] of verdicts)
    taken.set(edge, verdict || (isFirst && !isDecided && edge.when === undefined));
  return true;
}

/** What the run puts out: the last node's output, or those of all last ones by id. */
export function foretellOutput({ workflow, parts, edges }: Script, fates: ReadonlyMap<string, Fate>): unknown {
  const outputOf = (id: string): unknown => (fates.get(id) === "completed" ? (parts.get(id)?.output ?? null) : null);
  const last = workflow.nodes
    .map(({ id }) => id)
    .filter((id) => !edges.some(({ from, codes }) => from === id && !codes));
  const [only] = last;
  if (only !== undefined && last.length === 1) return outputOf(only);
  return Object.fromEntries(last.map((id) => [id, outputOf(id)]));
}
