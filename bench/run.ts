/**
 * `npm run bench -- [tasks] [workflows] [graphs] [dispatch] [messages] [storage] [stream] [document] [idle] [memory]
 * [matching]`: ours, the bound and the peers in the same page of a real browser; `matching` is the scheduler alone, in Node, and `document`, what
 * the system's document claims, runs in Node and in every browser that is installed. Without a name all of them run.
 *   --quick            small sizes, and nothing is kept
 *   --rounds N         default 5, of `document` 3
 *   --only PART        only benchmarks whose name has this part
 *   --browser NAME     chromium (default), firefox, webkit, or for `document` node
 *   --soak MINUTES     of messages, while tabs and agents are killed (chromium), and nothing else; --batched: 250 together
 *   --budget           holds the ratios that are stable against bench/budgets.json, and nothing else
 *   --profile          shows where the time of the host and of the page goes, and keeps nothing (chromium)
 */
import { parseArgs } from "node:util";
import { ENGINES, findEngine, type Engine } from "../test/harness/engines.ts";
import { runSuite } from "./browsing.ts";
import { checkBudgets } from "./budget.ts";
import { bundle } from "./bundle.ts";
import type { Options, Where } from "./machine.ts";
import { runMemory } from "./memory.ts";
import { runCore, runDocument, runMatching } from "./node.ts";
import { runSoak } from "./soak.ts";

interface Suite {
  /** Where it can run; it does so in the first, unless another is named. */
  readonly places: readonly Where[];
  /** It runs in all of them. */
  readonly everywhere?: boolean;
  /** Default 5. */
  readonly rounds?: number;
}

const BROWSERS: readonly Where[] = ENGINES;
const SUITES: Readonly<Record<string, Suite>> = {
  tasks: { places: BROWSERS },
  workflows: { places: BROWSERS },
  graphs: { places: BROWSERS },
  dispatch: { places: BROWSERS },
  messages: { places: BROWSERS },
  storage: { places: BROWSERS },
  stream: { places: BROWSERS },
  document: { places: ["node", ...BROWSERS], everywhere: true, rounds: 3 },
  idle: { places: BROWSERS },
  memory: { places: ["chromium"] },
  traffic: { places: BROWSERS },
  core: { places: ["node"] },
  matching: { places: ["node"] },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    only: { type: "string", default: "" },
    browser: { type: "string" },
    soak: { type: "string" },
    batched: { type: "boolean", default: false },
    profile: { type: "boolean", default: false },
    budget: { type: "boolean", default: false },
  },
});
const { quick, only, profile, browser } = values;
const asked = values.rounds === undefined ? undefined : Number(values.rounds);
const optionsOf = (suite: string): Options => ({
  quick,
  only,
  profile,
  rounds: asked ?? (quick ? 1 : (SUITES[suite]?.rounds ?? 5)),
});

await main();
process.exit();

async function main(): Promise<void> {
  if (asked !== undefined && !(Number.isSafeInteger(asked) && asked > 0))
    throw new Error(`--rounds ${String(values.rounds)}: a whole number from 1 on`);
  if (browser !== undefined && ![...BROWSERS, "node"].includes(browser))
    throw new Error(`--browser ${browser}: ${BROWSERS.join(", ")} or node`);
  if (values.soak !== undefined) {
    await runSoak(Number(values.soak), values.batched);
    return;
  }
  if (values.budget) {
    process.exitCode = (await checkBudgets(asked ?? 1)) ? 0 : 1;
    return;
  }
  const named = positionals.filter((name) => name !== "all");
  const unknown = named.filter((name) => !(name in SUITES));
  if (unknown.length > 0) throw new Error(`there is no suite ${unknown.join(", ")}: ${Object.keys(SUITES).join(", ")}`);
  const suites = named.length > 0 ? named : Object.keys(SUITES);
  const runs = suites.flatMap((suite) => placesOf(suite).map((where) => ({ suite, where })));
  if (runs.some(({ where }) => where !== "node") || isInstalled("chromium")) await bundle(!profile); // pictures need a page
  for (const { suite, where } of runs) {
    console.log(`--- ${suite} (${where})`);
    const options = optionsOf(suite);
    if (suite === "memory") await runMemory(options);
    else if (where !== "node") await runSuite(suite, where, options);
    else if (suite === "core") await runCore(options);
    else if (suite === "matching") await runMatching(options);
    else await runDocument(options);
  }
}

function placesOf(suite: string): readonly Where[] {
  const { places = [], everywhere = false } = SUITES[suite] ?? {};
  if (browser !== undefined) return places.filter((where) => where === browser);
  return everywhere ? places.filter((where) => where === "node" || isInstalled(where)) : places.slice(0, 1);
}

function isInstalled(engine: Engine): boolean {
  const installed = findEngine(engine) !== undefined;
  if (!installed) console.log(`${engine} is not installed, and left out`);
  return installed;
}
