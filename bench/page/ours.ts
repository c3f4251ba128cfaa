import { connect, type Runtime } from "../../src/index.ts";
import { demand } from "./measure.ts";

/** Troupe as its users get it: the host in a SharedWorker, strict commits, agents in workers of their own. */
export interface Ours {
  readonly runtime: Runtime;
  tasks(count: number, window: number, capability?: string): Promise<number>;
  runs(workflow: string, runs: number, nodes: number): Promise<number>;
  close(): Promise<void>;
}

const ASSETS = "/bench/dist/host/";

/** Two workers of one agent; more are those of as many agents, since a page lets in few for each processor. */
export async function openOurs(name: string, trusted: boolean, workers = 2): Promise<Ours> {
  const runtime = await connect({ name, assets: ASSETS });
  if (workers === 2) await runtime.registerAgent({ url: "/bench/dist/echo-agent.js", trusted, workers, slots: 512 });
  else for (let at = 0; at < workers; at++) await registerOne(runtime, at);
  return {
    runtime,
    tasks: (count, window, capability) => tasks(runtime, count, window, capability),
    runs: (workflow, runs, nodes) => runAll(runtime, workflow, runs, nodes),
    close: () => runtime.close(),
  };
}

/** The same agent under another name. */
async function registerOne(runtime: Runtime, at: number): Promise<void> {
  const text = await (await fetch("/bench/dist/echo-agent.js")).text();
  const named = text.replace(/name:\s*"echo"/u, `name:"echo${String(at)}"`);
  const url = URL.createObjectURL(new Blob([named], { type: "text/javascript" }));
  const { name } = await runtime.registerAgent({ url, trusted: true, slots: 512 });
  demand(name === `echo${String(at)}`, "an agent of its own");
}

/** Three agents: one whose worker stays up, and two whose worker is a new one for every task, a trusted and an isolated one. */
export async function openStarts(name: string): Promise<Ours> {
  const ours = await openOurs(name, true);
  for (const agent of ["fresh", "isolated"]) {
    const text = await (await fetch("/bench/dist/echo-agent.js")).text();
    const named = text
      .replace(/name:\s*"echo"/u, `name:"${agent}",recycleAfter:1`)
      .replace(/capabilities:\s*\["echo"\]/u, `capabilities:["${agent}"]`);
    const url = URL.createObjectURL(new Blob([named], { type: "text/javascript" }));
    const manifest = await ours.runtime.registerAgent({ url, trusted: agent === "fresh" });
    demand(manifest.recycleAfter === 1, "a new worker for every task");
  }
  return ours;
}

/** Agents that keep what they are given: one an item at a time, one 50 together. */
export async function openStoring(name: string): Promise<Ours> {
  const ours = await openOurs(name, true);
  for (const agent of ["single", "batch"])
    await ours.runtime.registerAgent({ url: `/bench/dist/${agent}-agent.js`, trusted: true });
  return ours;
}

function tasks(runtime: Runtime, count: number, window: number, capability = "echo"): Promise<number> {
  return new Promise((resolve) => {
    let sent = 0;
    let done = 0;
    let sum = 0;
    const send = (): void => {
      while (sent < count && sent - done < window)
        runtime.createTask({ capabilities: [capability], input: { n: sent++ } });
    };
    const stop = runtime.on("task.completed", ({ output }) => {
      done++;
      sum += (JSON.parse(output) as { n: number }).n;
      if (done < count) send();
      else {
        stop();
        demand(sum === (count * (count - 1)) / 2, "our results");
        resolve(done);
      }
    });
    send();
  });
}

function runAll(runtime: Runtime, workflow: string, runs: number, nodes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let ended = 0;
    let done = 0;
    const stops = [
      runtime.on("node.completed", () => done++),
      runtime.on("execution.completed", () => {
        if (++ended < runs) return;
        for (const stop of stops) stop();
        demand(done === runs * nodes, "our nodes");
        resolve(done);
      }),
      runtime.on("execution.failed", ({ error }) => {
        reject(new Error(error.message));
      }),
    ];
    for (let run = 0; run < runs; run++) runtime.startWorkflow(workflow, { n: run });
  });
}

/** So many runs of the workflow "chain", one beside the other, to the last one's end. */
export function complete(runtime: Runtime, runs: number): Promise<void> {
  return new Promise((resolve) => {
    let ended = 0;
    const stop = runtime.on("execution.completed", () => {
      if (++ended < runs) return;
      stop();
      resolve();
    });
    for (let run = 0; run < runs; run++) runtime.startWorkflow("chain", null);
  });
}
