/** Advice from what a runtime has seen: bounds that nobody set, times that don't fit, long work without checkpoints. */
import { decodeJson } from "../core/json.ts";
import type { Task } from "../core/tasks/task.ts";
import type { AgentView, Runtime } from "./runtime.ts";

/** Something that could be set better; `message` is for people. */
export type Advice = { readonly message: string } &
  /** A runaway is ended by its times alone. */
  (
    | { readonly code: "agent/no-resource-limits"; readonly agent: string }
    | { readonly code: "agent/limit-unenforced"; readonly agent: string; readonly limit: string }
    /** Its capabilities have nothing in common: two agents would fail, scale and be versioned apart. */
    | { readonly code: "agent/many-domains"; readonly agent: string; readonly domains: readonly string[] }
    /** Nobody set a timeout. `suggested` is twice what 99 of 100 attempts took at most, in milliseconds. */
    | {
        readonly code: "timeout/missing";
        readonly kind: string;
        readonly seen: number;
        readonly p99: number;
        readonly suggested: number;
      }
    /** More than one of a hundred that ended well came near its timeout. */
    | {
        readonly code: "timeout/tight";
        readonly kind: string;
        readonly timeout: number;
        readonly p99: number;
        readonly suggested: number;
      }
    /** An attempt of more than 30 s that kept no checkpoint: an interruption begins it anew. */
    | { readonly code: "checkpoint/missing"; readonly kind: string; readonly longest: number; readonly task: string }
  );

export interface AdviceOptions {
  /** So many of the latest finished tasks are looked at. Default 2,000. */
  readonly tasks?: number;
}

/** Work of this length should be able to go on where it was, in milliseconds. */
const LONG = 30_000;

/** Fewer attempts of a kind say nothing about its times. */
const FEWEST = 20;

/** A timeout is tight when 99 of 100 attempts don't end in this part of it. */
const TIGHT = 0.8;

const PAGE = 1_000;

type Attempted = Pick<
  Task,
  "id" | "type" | "capabilities" | "status" | "startedAt" | "finishedAt" | "timeout" | "terms" | "checkpoints"
>;

/** Looks at the agents, at what runs, and at the latest finished tasks. A task's kind is its `type`, or its first capability. */
export async function advise(
  { agents, tasks, archive }: Pick<Runtime, "agents" | "tasks" | "archive">,
  { tasks: most = 2_000 }: AdviceOptions = {},
): Promise<readonly Advice[]> {
  const finished: Attempted[] = [];
  let after: string | undefined;
  do {
    const query = { kind: "task", limit: Math.min(PAGE, most - finished.length) } as const;
    const page = await archive.list(after === undefined ? query : { ...query, after });
    finished.push(...page.rows.map(({ text }) => decodeJson(text) as Task));
    after = page.next;
  } while (after !== undefined && finished.length < most);
  return [
    ...[...agents.values()].flatMap(ofAgent),
    ...ofTimes(finished),
    ...ofCheckpoints([...finished, ...tasks.values()], Date.now()),
  ];
}

function ofAgent({ id: agent, resourceLimits, capabilities, enforcement }: AgentView): Advice[] {
  const domains = [...new Set(capabilities.map((name) => name.split(/[.@]/u, 1)[0] ?? name))];
  const advice: Advice[] = Object.entries(enforcement)
    .filter(([, { state }]) => state !== "enforced")
    .map(([limit, { reason }]) => ({
      code: "agent/limit-unenforced",
      agent,
      limit,
      message: `${agent}: ${limit} is not enforceable here: ${reason}`,
    }));
  if (Object.keys(resourceLimits ?? {}).length === 0)
    advice.push({
      code: "agent/no-resource-limits",
      agent,
      message: `${agent} has no resourceLimits: only its times end a runaway`,
    });
  if (domains.length > 1)
    advice.push({
      code: "agent/many-domains",
      agent,
      domains,
      message: `${agent} does ${domains.join(", ")}: agents for one domain each fail and scale apart`,
    });
  return advice;
}

const kindOf = ({ type, capabilities }: Attempted): string => type ?? capabilities[0] ?? "";

function ofTimes(finished: readonly Attempted[]): Advice[] {
  const kinds = new Map<string, { times: number[]; timeout: number; isMissing: boolean }>();
  for (const task of finished) {
    const { status, startedAt, finishedAt, timeout = task.terms?.timeout } = task;
    if (status !== "completed" || startedAt === undefined || finishedAt === undefined) continue;
    const known = kinds.get(kindOf(task)) ?? { times: [], timeout: Infinity, isMissing: false };
    known.times.push(finishedAt - startedAt);
    known.timeout = Math.min(known.timeout, timeout ?? Infinity);
    known.isMissing ||= timeout === undefined;
    kinds.set(kindOf(task), known);
  }
  return [...kinds].flatMap(([kind, { times, timeout, isMissing }]): Advice[] => {
    if (times.length < FEWEST) return [];
    const seen = times.length;
    const p99 = times.sort((a, b) => a - b)[Math.ceil(seen * 0.99) - 1] ?? 0;
    const suggested = roundUp(2 * p99);
    const fact = `99 of 100 attempts take at most ${String(p99)} ms: ${String(suggested)} would do`;
    if (isMissing) {
      const message = `${kind} has no timeout of its own; ${fact}`;
      return [{ code: "timeout/missing", kind, seen, p99, suggested, message }];
    }
    if (p99 <= timeout * TIGHT) return [];
    const message = `${kind} has a timeout of ${String(timeout)} ms; ${fact}`;
    return [{ code: "timeout/tight", kind, timeout, p99, suggested, message }];
  });
}

/** To two digits, and to a second at least. */
function roundUp(milliseconds: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, milliseconds))) - 1);
  return Math.max(1_000, Math.ceil(milliseconds / unit) * unit);
}

/** The longest of each kind. */
function ofCheckpoints(tasks: readonly Attempted[], now: number): Advice[] {
  const longest = new Map<string, { readonly task: string; readonly longest: number }>();
  for (const task of tasks) {
    const { id, startedAt = Infinity, finishedAt = now, checkpoints = 0, status } = task;
    const took = finishedAt - startedAt;
    const hasRun = status === "running" || status === "assigned" || task.finishedAt !== undefined;
    if (!hasRun || checkpoints > 0 || took <= Math.max(LONG, longest.get(kindOf(task))?.longest ?? 0)) continue;
    longest.set(kindOf(task), { task: id, longest: took });
  }
  return [...longest].map(([kind, found]) => {
    const message = `${kind} runs for ${String(Math.round(found.longest / 1_000))} s without a checkpoint (${found.task})`;
    return { code: "checkpoint/missing", kind, ...found, message };
  });
}
