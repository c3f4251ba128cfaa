/** The goals that were set for the whole before it was made, and what bench/results says of each. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../test/harness/servers.ts";
import { shown } from "./figures.ts";
import type { Results, Row } from "./row.ts";

type Kept = ReadonlyMap<string, Results>;

/** What a goal asks of one figure: where it is, what of it counts, and how that must stand to what. */
interface Check {
  readonly suite: string;
  readonly figure: string;
  /** Default: ours itself. */
  readonly of?: (row: Row) => number | null | undefined;
  readonly what: string;
  readonly least?: number;
  readonly most?: number;
}

interface Goal {
  readonly goal: string;
  readonly checks: readonly Check[];
}

const toBound = (row: Row): number | null => row.ratioToBound;
const to =
  (...parts: readonly string[]) =>
  (row: Row): number | undefined => {
    const found = Object.entries(row.ratios).filter(([name]) => parts.some((part) => name.includes(part)));
    return found.length === 0 ? undefined : Math.min(...found.map(([, ratio]) => ratio));
  };

const FLOOD = "durable tasks, 2,000 in flight";
const ALONE = "one durable task alone";
const THROUGH = "durable nodes through agents";
const INSIDE = "durable nodes inside the host, chains of 100";
const start = (nodes: string): string => `a chain of ${nodes} nodes, from the start to the first node`;
const LISTENED = "a page that listens to 5,000 events a second";

const GOALS: readonly Goal[] = [
  {
    goal: "durable tasks/s from a page to an agent, 2,000 in flight: at least 0.6 of the bound, above every pool that keeps nothing",
    checks: [
      { suite: "tasks", figure: FLOOD, of: toBound, what: "of the bound", least: 0.6 },
      { suite: "tasks", figure: FLOOD, of: (row) => row.ratioToBestPeer, what: "× the best pool", least: 1 },
    ],
  },
  {
    goal: "one durable task alone, p50 / p99: at most 1.5 / 2 × the bound's",
    checks: [
      { suite: "tasks", figure: `${ALONE}, p50`, of: toBound, what: "× the bound, p50", most: 1.5 },
      { suite: "tasks", figure: `${ALONE}, p99`, of: toBound, what: "× the bound, p99", most: 2 },
    ],
  },
  {
    goal: "durable nodes/s through agents, 1,000 chains and a fan of 1,000: at least half of the bound, 100 × LangGraph.js with a saver",
    checks: [`${THROUGH}, 1,000 chains of ten at once`, `${THROUGH}, a fan of 1,000`].flatMap((figure, at) => [
      { suite: "workflows", figure, of: toBound, what: `of the bound, ${at === 0 ? "chains" : "fan"}`, least: 0.5 },
      { suite: "workflows", figure, of: to("IndexedDB saver"), what: "× LangGraph.js", least: 100 },
    ]),
  },
  {
    goal: "durable nodes inside the host: at least 50,000/s, ahead of Flowcraft without durability",
    checks: [
      { suite: "workflows", figure: INSIDE, what: "nodes/s", least: 50_000 },
      { suite: "workflows", figure: INSIDE, of: to("Flowcraft"), what: "× Flowcraft", least: 1 },
    ],
  },
  {
    goal: "one chain alone, per durable step: at most 1.5 × one strict commit",
    checks: [
      {
        suite: "workflows",
        figure: "one chain alone, per durable step",
        of: to("one strict commit"),
        what: "× one strict commit",
        most: 1.5,
      },
    ],
  },
  {
    goal: "assignment among 100 / 10,000 / 100,000 agents: p99 at most 5 µs",
    checks: ["100", "10,000", "100,000"].map((count) => ({
      suite: "matching",
      figure: `assignment among ${count} agents, p99`,
      what: `µs (${count})`,
      most: 5,
    })),
  },
  {
    goal: "start of a graph of 1,000 / 10,000 nodes, to its first node: at most 10 / 60 ms",
    checks: [
      { suite: "graphs", figure: start("1,000"), what: "ms (1,000)", most: 10 },
      { suite: "graphs", figure: start("10,000"), what: "ms (10,000)", most: 60 },
    ],
  },
  {
    goal: "messages a second, durable: at least 10,000 each by itself, 30,000 together",
    checks: [
      {
        suite: "messages",
        figure: "messages, each sent and acknowledged by itself, 512 in flight",
        what: "messages/s by itself",
        least: 10_000,
      },
      { suite: "messages", figure: "messages, sent and acknowledged 1,000 together", what: "together", least: 30_000 },
    ],
  },
  {
    goal: "cold start with a history of 100,000 and more events: at most 0.5 s",
    checks: ["100,000", "1,000,000"].map((count) => ({
      suite: "storage",
      figure: `connect, with ${count} events before`,
      what: `ms (${count})`,
      most: 500,
    })),
  },
  {
    goal: "a stream to a page: at least 100,000 a second, 5,000 events a second at 60 frames",
    checks: [
      { suite: "stream", figure: "streamed items, 100 together", what: "items/s", least: 100_000 },
      { suite: "stream", figure: "events to a page that listens", what: "events/s", least: 100_000 },
      { suite: "stream", figure: `${LISTENED}, frames`, what: "frames/s", least: 59 },
    ],
  },
  {
    goal: "memory in the host: at most 1 kB per queued task, 2 kB per idle agent",
    checks: [
      { suite: "memory", figure: "per queued task, in the host, 10,000 queued", what: "bytes a task", most: 1_024 },
      { suite: "memory", figure: "per idle agent, in the host, 1,000 agents", what: "bytes an agent", most: 2_048 },
    ],
  },
  {
    goal: "idle for 60 s: no wake-up before the next deadline, nothing written",
    checks: ["timers that ran", "messages posted", "transactions that write"].map((what) => ({
      suite: "idle",
      figure: `idle for 60 s, the host: ${what}`,
      what,
      most: 0,
    })),
  },
];

export function goalsOf(kept: Kept): string {
  const lines = [...GOALS.map((goal) => lineOf(goal, kept)), sizes()];
  return ["| goal | figure | met | suite |", "|---|---|---|---|", ...lines].join("\n");
}

function lineOf({ goal, checks }: Goal, kept: Kept): string {
  const found = checks.map((check) => ({ check, value: valueOf(check, kept) }));
  const figures = found.map(({ check, value }) =>
    value === undefined ? `– ${check.what}` : `${shown(value)} ${check.what}`,
  );
  const known = found.filter(({ value }) => value !== undefined);
  const met = known.filter(({ check, value = NaN }) => isMet(check, value));
  const suites = [...new Set(checks.map(({ suite }) => `\`${suite}\``))].join(", ");
  return `| ${goal} | ${figures.join("<br>")} | ${verdict(met.length, known.length, checks.length)} | ${suites} |`;
}

function valueOf({ suite, figure, of = (row) => row.ours }: Check, kept: Kept): number | undefined {
  const row = kept.get(suite)?.rows.find((one) => one.figure === figure);
  return (row && of(row)) ?? undefined;
}

function isMet({ least = -Infinity, most = Infinity }: Check, value: number): boolean {
  return value >= least && value <= most;
}

function verdict(met: number, known: number, all: number): string {
  if (known < all) return known === 0 ? "not measured" : "not all measured";
  return met === all ? "yes" : met === 0 ? "**no**" : `**${String(met)} of ${String(all)}**`;
}

/** Their goals; the check holds budgets of its own, which may be wider. */
function sizes(): string {
  const text = readFileSync(join(ROOT, "scripts/budgets.json"), "utf8");
  const budgets = JSON.parse(text) as Readonly<Record<string, { readonly kB: number }>>;
  const goals = { agent: 3, client: 14, host: 45 };
  const found = Object.entries(goals).map(([name, goal]) => ({ name, kB: budgets[name]?.kB ?? NaN, goal }));
  const met = found.filter(({ kB, goal }) => kB <= goal).length;
  const figures = found.map(({ name, kB }) => `${name}: held at ${shown(kB)} kB`).join("<br>");
  const goal = "gzip: agent / client / host at most 3 / 14 / 45 kB";
  return `| ${goal} | ${figures} | ${verdict(met, 3, 3)} | \`npm run check -- --only sizes\` |`;
}
