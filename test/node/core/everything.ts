/**
 * One workflow of all types of nodes, each in the ways in which it can go. A new type is a new row: what kills, pauses,
 * cancels and replays runs at every moment takes them all from here. Workers go by the names of nodes: `bad_…` fails for
 * good, `flaky_…` once, `again_…` until its node has begun anew, and `big` has an effect that mustn't be done twice.
 */
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";

type Node = WorkflowInput["nodes"][number];
type Edge = NonNullable<WorkflowInput["edges"]>[number];

interface Row {
  /** What it shows. */
  readonly of: string;
  /** The first node is where it begins. */
  readonly nodes: readonly Node[];
  readonly edges?: readonly Edge[];
}

const work = { capabilities: ["a"], retry: { maxAttempts: 3, base: 50 }, timeout: 2_000 };

const APPENDED =
  "{'id': 'own', 'type': 'task', 'capabilities': ['b'], 'input': 'index', 'compensate': {'capabilities': ['b']}}";

/** A node of one task; what it is for matters to nobody. */
const task = (id: string, more: object = {}): Node => ({ id, type: "task", ...work, ...more });

/** `a > b, c`: from a to both. */
function edges(...lines: readonly string[]): Edge[] {
  return lines.flatMap((line) => {
    const [from = "", to = ""] = line.split(" > ");
    return to.split(", ").map((one) => ({ from, to: one }));
  });
}

const rows: readonly Row[] = [
  {
    of: "tasks that are tried again, and whose effects are kept",
    nodes: [
      task("flaky_fetch", { compensate: { ...work, input: "nodes.flaky_fetch.output" }, set: { count: "1" } }),
      task("big", { input: "nodes.flaky_fetch.output" }),
    ],
    edges: edges("flaky_fetch > big"),
  },
  {
    of: "a decision for the first match, and a join of all",
    nodes: [
      { id: "route", type: "decision" },
      task("high"),
      task("low", { capabilities: ["b"] }),
      { id: "routed", type: "join" },
    ],
    edges: [
      { from: "route", to: "high", when: "size(input.items) > 2" },
      ...edges("route > low", "high > routed", "low > routed"),
    ],
  },
  {
    of: "a decision for all matches",
    nodes: [{ id: "ways", type: "decision", mode: "all" }, task("way"), task("no_way"), task("any_way")],
    edges: [
      { from: "ways", to: "way", when: "size(input.items) < 99" },
      { from: "ways", to: "no_way", when: "size(input.items) > 99" },
      ...edges("ways > any_way"),
    ],
  },
  {
    of: "branches that all have to end well",
    nodes: [{ id: "both", type: "parallel" }, task("left"), task("right"), { id: "both_met", type: "join" }],
    edges: edges("both > left, right", "left > both_met", "right > both_met"),
  },
  {
    of: "branches that may fail",
    nodes: [{ id: "tries", type: "parallel", onFailure: "collect" }, task("tried"), task("bad_try"), task("tries_met")],
    edges: edges("tries > tried, bad_try", "tried > tries_met", "bad_try > tries_met"),
  },
  {
    of: "branches of which some may fail",
    nodes: [{ id: "most", type: "parallel", onFailure: { needed: 1 } }, task("enough"), task("bad_one")],
    edges: edges("most > enough, bad_one"),
  },
  {
    of: "a join of the first",
    nodes: [
      { id: "race", type: "parallel" },
      task("quick"),
      task("slow"),
      { id: "first", type: "join", mode: "any" },
      task("won"),
    ],
    edges: edges("race > quick, slow", "quick > first", "slow > first", "first > won"),
  },
  {
    of: "a join of a number",
    nodes: [
      { id: "votes", type: "parallel" },
      task("vote_1"),
      task("vote_2"),
      task("vote_3"),
      { id: "elected", type: "join", mode: 2 },
    ],
    edges: edges("votes > vote_1, vote_2, vote_3", "vote_1 > elected", "vote_2 > elected", "vote_3 > elected"),
  },
  {
    of: "an error edge, and a join of an expression",
    nodes: [
      task("bad_risk", { retry: { maxAttempts: 1 } }),
      task("rescue", { input: "error.code" }),
      { id: "known", type: "join", mode: { when: "has(inlets.bad_risk) && has(inlets.rescue)" } },
    ],
    edges: [{ from: "bad_risk", to: "rescue", on: "error" }, ...edges("bad_risk > known", "rescue > known")],
  },
  {
    of: "a loop of tasks",
    nodes: [{ id: "tells", type: "loop", while: "index < 2", task: { ...work, input: "index" } }],
  },
  {
    of: "a loop of graphs that write variables",
    nodes: [
      {
        id: "rounds",
        type: "loop",
        until: "index == 1",
        body: {
          nodes: [task("turn", { input: "input", set: { turns: "index", count: "1" } })],
          input: "{'n': index}",
        },
      },
    ],
  },
  {
    of: "a map of tasks, one of which fails",
    nodes: [
      {
        id: "each",
        type: "map",
        items: "input.items",
        concurrency: 2,
        onError: "collect",
        task: { ...work, input: "item" },
      },
      task("last", { input: "nodes.each.output" }),
    ],
    edges: edges("each > last"),
  },
  {
    of: "a map of graphs, with keys",
    nodes: [
      {
        id: "graphs",
        type: "map",
        items: "input.items",
        concurrency: 2,
        key: "string(index)",
        body: { nodes: [task("item", { input: "item", compensate: work, set: { seen: "[item, 'x']" } })] },
      },
    ],
  },
  {
    of: "a worker that appends graphs, a wrong one first",
    nodes: [
      {
        id: "planned",
        type: "dynamic",
        ...work,
        input: `index > 0 ? null : {'nodes': size(problems) == 0 ? [1] : [${APPENDED}]}`,
        allow: { capabilities: ["b"] },
        rounds: 2,
      },
    ],
  },
  {
    of: "a condition on what tasks have done lately",
    nodes: [
      {
        id: "calm",
        type: "monitor",
        capability: "a",
        when: "metrics.completed > 0",
        every: 200,
        timeout: 3_000,
        onTimeout: "continue",
      },
      task("calmed"),
    ],
    edges: edges("calm > calmed"),
  },
  {
    of: "another workflow",
    nodes: [{ id: "within", type: "subworkflow", workflow: "minor", input: "size(input.items)" }],
  },
  {
    of: "another workflow, which fails and undoes what it has done",
    nodes: [{ id: "undone", type: "subworkflow", workflow: "undoing" }],
  },
  { of: "a timer", nodes: [{ id: "nap", type: "timer", for: 40 }, task("rested")], edges: edges("nap > rested") },
  {
    of: "a message",
    nodes: [
      { id: "hear", type: "event", name: "x", timeout: 3_000, onTimeout: "continue" },
      task("heard", { input: "nodes.hear.output.received" }),
    ],
    edges: edges("hear > heard"),
  },
  {
    of: "a message that never comes",
    nodes: [{ id: "silence", type: "event", name: "never", timeout: 60, onTimeout: "continue" }],
  },
  {
    of: "an approval",
    nodes: [
      { id: "ask", type: "approval", message: "Go on?", payload: "input", timeout: 3_000, onTimeout: "approve" },
      task("told", { input: "nodes.ask.output.approved" }),
    ],
    edges: edges("ask > told"),
  },
  {
    of: "an approval that nobody gives",
    nodes: [{ id: "ask_nobody", type: "approval", message: "Nobody?", timeout: 50, onTimeout: "approve" }],
  },
  {
    of: "an error handler on the way",
    nodes: [
      task("bad_routed"),
      task("not_reached"),
      { id: "help", type: "errorHandler", scope: ["bad_routed"] },
      task("helped", { input: "nodes.help.output.code" }),
    ],
    edges: edges("bad_routed > not_reached", "help > helped"),
  },
  {
    of: "an error handler that begins anew",
    nodes: [task("again_begun"), { id: "again", type: "errorHandler", scope: ["again_begun"], action: "retry" }],
  },
  {
    of: "an error handler that replaces",
    nodes: [
      task("bad_replaced"),
      { id: "instead", type: "errorHandler", scope: ["bad_replaced"], action: "replace", output: "error.code" },
    ],
  },
  {
    of: "an error handler that hands on",
    nodes: [
      {
        id: "handed",
        type: "map",
        items: "[1]",
        onError: "collect",
        body: {
          nodes: [
            task("bad_handed"),
            { id: "hand", type: "errorHandler", action: "rethrow" },
            { id: "late", type: "errorHandler", action: "replace", output: "0" },
          ],
        },
      },
    ],
  },
];

/** Where each row begins. A handler on the way is reached by failures alone. */
const entries = rows.map(({ nodes: [first] }) => first?.id ?? "");

const whole: WorkflowInput = {
  id: "everything",
  variables: {
    count: { type: "number", merge: "sum" },
    turns: { type: "list", merge: "append", initial: ["first"] },
    seen: { type: "list", merge: "union" },
  },
  nodes: [{ id: "start", type: "parallel", onFailure: "collect" }, ...rows.flatMap(({ nodes }) => nodes)],
  edges: [...entries.map((to) => ({ from: "start", to })), ...rows.flatMap((row) => row.edges ?? [])],
  output: `{${[
    ["each", "nodes.each.output"],
    ["last", "nodes.last.output"],
    ["big", "nodes.big.output"],
    ["told", "nodes.told.output"],
    ["heard", "nodes.heard.output"],
    ["replaced", "nodes.bad_replaced.output"],
    ["helped", "nodes.helped.output"],
    ["within", "nodes.within.output"],
    ["tells", "nodes.tells.output"],
    ["handed", "nodes.handed.output"],
  ]
    .map(([name = "", path = ""]) => `'${name}': has(${path}) ? ${path} : null`)
    .join(", ")}}`,
};

/** All that has to be registered, the whole last: `everything`, whose input is `{items}`, a list. */
export const everything: readonly WorkflowInput[] = [
  { id: "minor", nodes: [task("one")] },
  {
    id: "undoing",
    nodes: [task("book", { compensate: work }), task("pay", { compensate: work }), task("bad_send")],
    edges: edges("book > pay", "pay > bad_send"),
  },
  whole,
];
