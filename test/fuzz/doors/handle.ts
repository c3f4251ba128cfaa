/**
 * What a program calls on its page's own handle, with arguments that nobody would give. The page, its host and a worker
 * are the simulator's. Whatever a call throws, at once or later, is a RuntimeError with a code, and the page goes on.
 */
import { defineAgent, type AgentDefinition } from "../../../src/agent.ts";
import type { Runtime } from "../../../src/client/runtime.ts";
import { encodeError, RuntimeError } from "../../../src/core/errors.ts";
import { loadEntries } from "../../../src/simulation-entries.ts";
import { createSite, type Page, type Site } from "../../../src/testing/simulation/site.ts";
import { Finding, type Door, type Look } from "../door.ts";
import { checkRefusal, FLOW, GATE } from "../scene.ts";
import type { Tape } from "../tape.ts";
import { drawForeign, drawText, NUMBERS, withKey } from "../values.ts";

const anything = { "~standard": { version: 1, vendor: "fuzz", validate: (value: unknown) => ({ value }) } } as const;

const agent = defineAgent({
  name: "a",
  version: "1.0.0",
  capabilities: ["work"],
  input: anything,
  output: anything,
  run: (input: unknown) => input,
}) as unknown as AgentDefinition<never>;

/** Steps, and virtual milliseconds, that a call is waited for; some wait for what never comes. */
const STEPS = 400;
const PATIENCE = 500;

let entries: ReturnType<typeof loadEntries> | undefined;

interface Call {
  readonly path: string;
  readonly run: (...args: readonly unknown[]) => unknown;
}

/** What is only looked at. */
const SHOWN = new Set(["store", "tasks", "executions", "approvals", "agents", "limits"]);

/** All that can be called, also in groups; `close` would end the episode. */
function callsOf(holder: object, prefix = ""): Call[] {
  return Object.keys(holder).flatMap((key): Call[] => {
    if (key === "close" || SHOWN.has(key)) return [];
    const part = (holder as Record<string, unknown>)[key];
    if (typeof part === "function") return [{ path: prefix + key, run: part.bind(holder) as Call["run"] }];
    const isGroup = typeof part === "object" && part !== null && prefix === "";
    return isGroup ? callsOf(part, `${key}.`) : [];
  });
}

const NAMES = [
  "t1",
  "r1",
  "flow",
  "gate",
  "a",
  "a@1.0.0",
  "work",
  "x",
  "box",
  "s1",
  "/a.js",
  "@daily",
  "1.0.0",
  "event",
  "status",
  "task.created",
];
const FIELDS = [
  "id", "name", "input", "capabilities", "priority", "after", "tasks", "type", "recipient", "payload", "ttl", "key", "workflow",
  "cron", "url", "trusted", "data", "edits", "approved", "by", "version", "limit", "from", "attempt", "blob", "size", "nodes",
  "edges", "retry", "timeout", "secrets", "startAt", "deadline", "concurrency", "topic", "wait", "max", "node", "prefix",
  "__proto__", "constructor", "toJSON", "then",
] as const; // prettier-ignore

/** What a call may mean, and what nobody means. */
function drawArgument(tape: Tape, depth = 2): unknown {
  switch (tape.below(8)) {
    case 0:
    case 1:
      return tape.pick(NAMES);
    case 2:
    case 3: {
      const holder = {};
      for (let left = tape.below(5); left > 0; left--)
        withKey(holder, tape.pick(FIELDS), depth > 0 ? drawArgument(tape, depth - 1) : 1);
      return holder;
    }
    case 4:
      return Array.from({ length: tape.below(4) }, () => drawArgument(tape, Math.max(0, depth - 1)));
    case 5:
      return tape.pick([...NUMBERS, true, false, null, undefined]);
    case 6:
      return drawText(tape);
    default:
      return drawForeign(tape, true);
  }
}

export interface Opened {
  readonly site: Site;
  readonly page: Page;
  readonly runtime: Runtime;
}

/** A page with an agent and a run, once all of it is settled; `prepare` may change the platform before. */
export async function openPage(tape: Tape, prepare: () => void = () => undefined): Promise<Opened> {
  const agents = new Map([["/a.js", agent]]);
  const site = createSite({ seed: tape.below(1_000), entries: await (entries ??= loadEntries()), agents });
  prepare();
  const made: { settled?: true; failed?: unknown } = {};
  const page = site.openPage("page", ["shared"], ({ runtime }) => {
    if (!runtime) return;
    const all = [
      runtime.registerAgent({ url: "/a.js", trusted: true }),
      ...[FLOW, GATE].map((flow) => runtime.settled(runtime.registerWorkflow(flow))),
      runtime.settled(runtime.startWorkflow("gate", 1, { id: "r1" })),
    ];
    Promise.all(all).then(
      () => (made.settled = true),
      (error: unknown) => (made.failed = error),
    );
  });
  await site.world.run(() => made.settled === true || made.failed !== undefined, 5_000);
  const { runtime } = page;
  if (!made.settled || !runtime) {
    site.close();
    throw new Finding("scene", `the page isn't ready: ${String(made.failed)}`);
  }
  return { site, page, runtime };
}

/** Does it in the page, and waits a while for what comes of it. */
async function call(
  site: Site,
  page: Page,
  run: () => unknown,
): Promise<{ readonly error?: unknown; readonly is: string }> {
  const { world } = site;
  let came: { readonly error?: unknown; readonly is: string } | undefined;
  const until = world.now() + PATIENCE;
  site.act(page.process, "a call", () => {
    new Promise((resolve) => {
      const made = run() as AsyncGenerator | undefined;
      resolve(typeof made?.next === "function" ? made.next() : made);
    }).then(
      () => (came = { is: "taken" }),
      (error: unknown) => (came = { is: "thrown", error }),
    );
  });
  await world.run(() => came !== undefined || world.now() > until, STEPS);
  return came ?? { is: "waits" };
}

function judge(path: string, error: unknown, look: Look): void {
  if (!(error instanceof RuntimeError)) {
    const text = error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ""}` : String(error);
    throw new Finding(`${path} throws another error`, text, error);
  }
  checkRefusal(encodeError(error));
  look.outcome(error.code);
}

export const handle: Door = {
  name: "handle",
  length: 30,
  async open(tape, look) {
    const { site, page, runtime } = await openPage(tape);
    const calls = callsOf(runtime);
    const uncaught: unknown[] = [];
    site.world.onUncaught((_process, error) => uncaught.push(error));
    const check = (): void => {
      const [error] = uncaught.splice(0);
      if (error === undefined) return;
      const text = error instanceof Error ? (error.stack ?? error.message) : encodeError(error).message;
      throw new Finding(`uncaught ${text.split("\n")[0] ?? ""}`.slice(0, 80), text, error);
    };
    return {
      async turn() {
        const { path, run } = tape.pick(calls);
        const args = Array.from({ length: tape.below(4) }, () => drawArgument(tape));
        look.input([path, ...args]);
        const { is, error } = await call(site, page, () => run(...args));
        if (error === undefined) look.outcome(is);
        else judge(path, error, look);
        check();
      },
      async close() {
        const { is, error } = await call(site, page, () =>
          runtime.settled(runtime.createTask({ capabilities: ["nobody"], input: 1 })),
        );
        if (is !== "taken")
          throw new Finding("no probe", `a task can't be made any more: ${is} ${encodeError(error).message}`);
        check();
      },
      drop() {
        site.close();
      },
    };
  },
};
