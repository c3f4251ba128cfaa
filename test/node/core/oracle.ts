/**
 * Random workflows, and what has to come of them, reckoned from the rules alone:
 * every edge is taken or dead in the end; a node waits for all of its inlets, a join for as many live ones as it says;
 * a node that can't be reached alive is skipped and makes its edges dead; one failure fails the run.
 */
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { isError, validate } from "../../../src/core/workflows/proofs/validate.ts";
import type { Chance } from "./chance.ts";

type Kind = "task" | "map" | "decision" | "parallel" | "join" | "approval";

/** What a condition says once its node has ended: whether the edge is taken, or that it can't be told. */
type Verdict = (fates: ReadonlyMap<string, Fate>) => boolean | "broken";

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly when?: string | undefined;
  readonly verdict: Verdict;
}

export interface Part {
  readonly id: string;
  readonly kind: Kind;
  /** Of a join: how many live inlets start it; undefined for all that are alive. */
  readonly needs?: number | undefined;
  readonly first: boolean;
  readonly delay: number;
  /** The work itself fails: a task, an item of a map that doesn't collect, a rejection that isn't to be followed. */
  readonly fails: boolean;
  readonly items: readonly ("fine" | "bad")[];
  readonly answer: "approve" | "reject" | "timeout";
  /** What it puts out when it ends well; undefined: nothing. */
  readonly output: unknown;
}

export interface Script {
  readonly workflow: WorkflowInput;
  readonly input: { readonly flags: readonly boolean[]; readonly lists: Readonly<Record<string, readonly string[]>> };
  readonly parts: ReadonlyMap<string, Part>;
  readonly edges: readonly Edge[];
}

export type Fate = "completed" | "skipped" | "failed" | "unreached";

const always: Verdict = () => true;

export function drawScript(chance: Chance, name: string): Script {
  const count = 1 + chance.below(chance.once(4) ? 14 : 7);
  const parts = new Map<string, Part>();
  const ids = Array.from({ length: count }, (_none, at) => `n${String(at)}`);
  const raw: [string, string][] = [];
  const density = 1 + chance.below(4);
  for (const [to, target] of ids.entries())
    for (const source of ids.slice(0, to)) if (chance.once(density)) raw.push([source, target]);
  const flags = Array.from({ length: 6 }, () => chance.once(2));
  for (const id of ids) parts.set(id, drawPart(chance, id, raw.filter(([, to]) => to === id).length));
  const isTimeless = [...parts.values()].every(({ needs }) => needs === undefined);
  const edges: Edge[] = [];
  for (const source of ids) {
    const part = parts.get(source);
    const outs = chance.shuffle(raw.filter(([from]) => from === source).map(([, to]) => to));
    const elders = isTimeless ? eldersOf(raw, source).filter((id) => parts.get(id)?.kind === "task") : [];
    if (!part) continue;
    const fallback = chance.below(outs.length);
    for (const [place, to] of outs.entries()) {
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
    edges: edges.map(({ from, to, when }) => ({ from, to, ...(when !== undefined && { when }) })),
  };
  if (validate(workflow).some(isError)) return drawScript(chance, name); // it would be refused
  return { workflow, input: { flags, lists }, parts, edges };
}

function drawPart(chance: Chance, id: string, inlets: number): Part {
  const kind = chance.pick<Kind>(["task", "task", "task", "map", "decision", "parallel", "join", "join", "approval"]);
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
  const rarely = chance.once(25);
  switch (kind) {
    case "task":
      return { ...none, fails: rarely, output: chance.below(4) };
    case "map": {
      const items = Array.from({ length: chance.pick([0, 1, 2, 5, 12]) }, () => (chance.once(20) ? "bad" : "fine"));
      const collects = !rarely;
      const output = items.map((item) => (item === "fine" ? item : { error: { code: "bad", message: "bad item" } }));
      return { ...none, items, first: collects, fails: !collects && items.includes("bad"), output };
    }
    case "approval": {
      const answer = chance.pick(["approve", "approve", "approve", "reject", "timeout"] as const);
      const onTimeout = chance.once(3);
      const approved = answer === "approve" || (answer === "timeout" && onTimeout);
      const follows = !rarely;
      const by = answer === "timeout" ? "timeout" : "ann";
      const reason = answer === "timeout" ? "nobody answered in time" : null;
      // `first`: a timeout approves; `needs` 1: a rejection is followed
      const output = { approved, by, reason, data: null };
      return { ...none, answer, first: onTimeout, needs: undefined, fails: !approved && !follows, output };
    }
    case "join": {
      const needs = inlets > 0 && chance.once(2) ? 1 + chance.below(inlets) : undefined;
      return { ...none, needs };
    }
    case "decision":
      return { ...none, first: chance.once(2) };
    case "parallel":
      return none;
  }
}

function nodeOf(
  chance: Chance,
  { id, kind, needs, first, fails, answer, output }: Part,
): WorkflowInput["nodes"][number] {
  const jitter = "none" as const;
  const work = { capabilities: ["work"], retry: { maxAttempts: 3, base: 1, jitter } };
  switch (kind) {
    case "task":
      return { id, type: "task", ...work };
    case "map": {
      const onError = first ? "collect" : "fail";
      return { id, type: "map", items: `input.lists.${id}`, concurrency: 1 + chance.below(4), onError, task: work };
    }
    case "approval": {
      const onReject = fails || (output as { approved: boolean }).approved ? "fail" : "continue";
      const timeout = answer === "timeout" ? { timeout: 20 } : {};
      return { id, type: "approval", message: "?", onReject, onTimeout: first ? "approve" : "reject", ...timeout };
    }
    case "join":
      return { id, type: "join", mode: needs === undefined ? "all" : needs === 1 ? "any" : needs };
    case "decision":
      return { id, type: "decision", mode: first ? "first" : "all" };
    case "parallel":
      return { id, type: "parallel" };
  }
}

function drawCondition(
  chance: Chance,
  { id, kind, output }: Part,
  flags: readonly boolean[],
  elders: readonly string[],
  parts: ReadonlyMap<string, Part>,
): { readonly when: string; readonly verdict: Verdict } {
  const own = chance.once(2);
  if (own && kind === "task") return { when: `nodes.${id}.output > 1`, verdict: () => Number(output) > 1 };
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
  if (chance.once(60)) return { when: chance.pick(["input.flags", "null", "input.nothing"]), verdict: () => "broken" };
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
    if (part.needs === undefined) {
      if (live + dead === inlets.length) fate = live > 0 || inlets.length === 0 ? "completed" : "skipped";
    } else if (live >= part.needs) fate = "completed";
    else if (inlets.length - dead < part.needs) fate = "skipped";
    if (fate === "completed" && part.fails) fate = "failed";
    fates.set(part.id, fate);
    if (fate === "skipped") for (const edge of outs) taken.set(edge, false);
    if (fate === "completed" && !follow(part, outs, fates, taken)) fates.set(part.id, "failed");
  }
  return fates;
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
  const last = workflow.nodes.map(({ id }) => id).filter((id) => !edges.some(({ from }) => from === id));
  const [only] = last;
  if (only !== undefined && last.length === 1) return outputOf(only);
  return Object.fromEntries(last.map((id) => [id, outputOf(id)]));
}
