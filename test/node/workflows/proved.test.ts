/** Random graphs: what the proofs say of them against what tokens do in every play. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { isError, validate } from "../../../src/core/workflows/proofs/validate.ts";
import { createChance, roundsOf, seedOf, type Chance } from "../core/chance.ts";
import { play } from "./player.ts";

const RUNS = roundsOf(10_000);
const seed = seedOf(4_096);

interface Graph {
  readonly nodes: WorkflowInput["nodes"];
  readonly edges: NonNullable<WorkflowInput["edges"]>;
}

/** Small, but with all that makes a proof hard: exclusive branches, thresholds, the same question asked twice. */
function drawGraph(chance: Chance): Graph {
  const ids = Array.from({ length: 2 + chance.below(6) }, (_none, at) => `n${String(at)}`);
  const pairs = ids.flatMap((from, at) =>
    ids.flatMap((to, place) => {
      const isBack = place <= at;
      return chance.once(isBack ? 200 : 2) ? [[from, to] as const] : [];
    }),
  );
  const when = (): string =>
    chance.pick(["input.a", "!input.a", "input.b", "!input.b", `input.c${String(chance.below(9))}`, "true", "false"]);
  const kinds = new Map(ids.map((id) => [id, chance.pick(["task", "task", "decision", "decision", "join", "join"])]));
  const edges: Graph["edges"][number][] = [];
  for (const id of ids) {
    const outs = chance.shuffle(pairs.filter(([from]) => from === id));
    const fallback = chance.below(outs.length);
    for (const [place, [from, to]] of outs.entries()) {
      const isOpen = kinds.get(id) === "decision" ? place === fallback : !chance.once(4);
      const isError = kinds.get(id) === "task" && chance.once(8);
      edges.push({ from, to, ...(isError ? { on: "error" as const } : !isOpen && { when: when() }) });
    }
    if (outs.length === 0 && kinds.get(id) === "decision") kinds.set(id, "task");
  }
  const nodes = ids.map((id): Graph["nodes"][number] => {
    const kind = kinds.get(id);
    const inlets = pairs.filter(([, to]) => to === id).length;
    if (kind === "decision") return { id, type: "decision" };
    if (kind !== "join") return { id, type: "task", capabilities: ["x"], input: "null" };
    const count = 1 + chance.below(inlets + (chance.once(10) ? 1 : 0));
    return { id, type: "join", mode: inlets === 0 || chance.once(3) ? "all" : count };
  });
  return { nodes: chance.shuffle(nodes), edges };
}

/** It goes around; and where every node waits for all that leads to it, none of them ever starts. */
function checkCycle({ nodes, edges }: Graph, path: readonly string[], stuck: ReadonlySet<string>, what: string): void {
  assert.equal(path[0], path.at(-1), what);
  for (const [at, to] of path.slice(1).entries())
    assert.ok(edges.some((edge) => edge.from === path[at] && edge.to === to), what); // prettier-ignore
  const isPatient = (id: string): boolean => {
    const node = nodes.find((one) => one.id === id);
    return node?.type !== "join" || node.mode === "all";
  };
  if (path.every(isPatient)) for (const id of path) assert.ok(stuck.has(id), what);
}

describe("what is proved of a graph", () => {
  it(`is what tokens do in every play of it (${String(RUNS)} graphs)`, (t) => {
    const chance = createChance(seed);
    const counts: Record<string, number> = {};
    for (let run = 0; run < RUNS; run++) {
      const graph = drawGraph(chance);
      const told = `seed ${String(seed)}, run ${String(run)}: ${JSON.stringify(graph)}`;
      const problems = validate({ id: "w", ...graph });
      const played = play(graph);
      for (const { code, nodes, edge } of problems) {
        counts[code] = (counts[code] ?? 0) + 1;
        const what = `${code} ${nodes.join()} ${told}`;
        if (code === "cycle") checkCycle(graph, nodes, played.stuck, what);
        if (code === "unreachable") for (const id of nodes) assert.ok(!played.started.has(id), what);
        if (code === "join-never-fires") assert.ok(!played.started.has(nodes[0] ?? ""), what);
        if (code === "edge-never-taken") assert.ok(!played.taken.has((edge ?? []).join(">")), what);
        if (code === "path-may-end") assert.ok(played.ended.has(nodes[0] ?? ""), what);
        assert.notEqual(code, "unproved", what);
      }
      const said = (code: string): ReadonlySet<string | undefined> =>
        new Set(problems.flatMap((one) => (one.code === code ? (one.edge?.join(">") ?? one.nodes[0]) : [])));
      if (!said("cycle").size) for (const id of played.ended) assert.ok(said("path-may-end").has(id), `${id} ${told}`);
      if (problems.some(isError)) continue;
      counts["fine"] = (counts["fine"] ?? 0) + 1;
      assert.deepEqual([...played.stuck], [], told);
      for (const { id } of graph.nodes) assert.ok(played.started.has(id), `${id} ${told}`);
      for (const { from, to } of graph.edges)
        assert.ok(
          played.taken.has(`${from}>${to}`) || said("edge-never-taken").has(`${from}>${to}`),
          `${from}>${to} ${told}`,
        );
    }
    t.diagnostic(JSON.stringify(counts));
    for (const code of ["fine", "cycle", "unreachable", "join-never-fires", "edge-never-taken", "path-may-end"])
      assert.ok((counts[code] ?? 0) >= roundsOf(100), `${code} is hardly ever met`);
  });

  it(`about outputs is what is there in every play (${String(RUNS)} graphs)`, (t) => {
    const chance = createChance(seed + 1);
    const counts = { fine: 0, unordered: 0, skipped: 0, later: 0, overcautious: 0 };
    for (let run = 0; run < RUNS; run++) {
      const { nodes, edges } = drawGraph(chance);
      const [reader, read] = [chance.pick(nodes), chance.pick(nodes)];
      if (reader.type !== "task" || read.type !== "task") continue;
      const input = `nodes.${read.id}.output`;
      const graph = { nodes: nodes.map((node) => (node === reader ? { ...node, input } : node)), edges };
      const problems = validate({ id: "w", ...graph });
      const codes = problems.filter(({ code }) => code.startsWith("reads-")).map(({ code }) => code);
      if (problems.some((one) => isError(one) && one.code !== "reads-later")) continue;
      const isMissed = play(graph).before.has(`${read.id}>${reader.id}`);
      const told = `seed ${String(seed)}, run ${String(run)}: ${codes.join()} ${JSON.stringify(graph)}`;
      if (isMissed && codes.length === 0) assert.fail(told);
      if (!isMissed && codes.some((code) => code !== "reads-unordered")) assert.fail(told);
      if (!isMissed && codes.length > 0) {
        counts.overcautious++; // a join may be known never to be skipped for reasons that aren't looked for
        continue;
      }
      if (codes.length === 0) counts.fine++;
      if (codes.includes("reads-unordered")) counts.unordered++;
      if (codes.includes("reads-skipped")) counts.skipped++;
      if (codes.includes("reads-later")) counts.later++;
    }
    t.diagnostic(JSON.stringify(counts));
    const { overcautious, ...others } = counts;
    assert.ok(Math.min(...Object.values(others)) >= roundsOf(10), "the cases say little");
    assert.ok(overcautious < counts.unordered / 50, "it warns where nothing is wrong");
  });
});
