import { spawn, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface Kid {
  readonly process: ChildProcess;
  /** What it wrote to stderr so far. */
  readonly stderr: () => string;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
  /** Kills the process and all its descendants with SIGKILL, as a power cut would. */
  readonly kill: () => Promise<void>;
}

const kids = new Set<Kid>();
process.once("exit", () => {
  for (const kid of kids) killTree(kid.process.pid);
});
process.once("SIGTERM", () => process.exit(143)); // by itself SIGTERM ends without "exit"

/** Starts a process that does not outlive this one. */
export function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Kid {
  const child = spawn(command, args, { env, stdio: ["ignore", "ignore", "pipe"], detached: true });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-20_000)));
  const gone = new Promise<void>((resolve) => {
    child.once("exit", () => {
      resolve();
    });
    child.once("error", (error) => {
      stderr += error.message;
      resolve();
    });
  });
  const kid: Kid = {
    process: child,
    stderr: () => stderr,
    gone,
    kill: async () => {
      killTree(child.pid);
      await Promise.race([gone, sleep(5_000, undefined, { ref: false })]);
      kids.delete(kid);
    },
  };
  kids.add(kid);
  return kid;
}

/** Asks until the answer is neither undefined nor an error. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  ms = 60_000,
): Promise<T> {
  const deadline = Date.now() + ms;
  for (let last: unknown; ;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`${what}: not within ${ms} ms`, { cause: last });
    await sleep(50);
  }
}

/** A TCP port of 127.0.0.1 that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });
}

/** SIGKILL for a process, its group and all its descendants. */
export function killTree(pid: number | undefined): void {
  signalTree(pid, "SIGKILL");
}

/** A signal for a process, its group and all its descendants. */
export function signalTree(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  for (const each of [...descendants(pid), -pid, pid]) {
    try {
      process.kill(each, signal);
    } catch {
      // it is gone already, or leads no group
    }
  }
}

/** Which descendant has worked most while something went on: a tab that computes shows its process so. */
export async function busiest(root: number, during: () => Promise<unknown>): Promise<number> {
  const before = new Map(descendants(root).map((pid) => [pid, workOf(pid)]));
  await during();
  const work = descendants(root).map((pid) => [pid, workOf(pid) - (before.get(pid) ?? 0)] as const);
  const [first] = work.sort(([, a], [, b]) => b - a);
  if (!first) throw new Error(`process ${String(root)} has no descendants`);
  return first[0];
}

/** Clock ticks of the processor, in user mode. */
function workOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[11]);
  } catch {
    return 0; // it ended between the two looks
  }
}

/** Bytes that a process and its descendants have in memory; of pages that several share each has its part. 0 but on Linux. */
export function memoryOf(root: number): number {
  return [root, ...descendants(root)].reduce((sum, pid) => sum + residentOf(pid), 0);
}

function residentOf(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${String(pid)}/smaps_rollup`, "utf8");
    return 1_024 * Number(/^Pss:\s+(\d+) kB$/mu.exec(rollup)?.[1] ?? 0);
  } catch {
    return 0; // it ended between the two looks
  }
}

/** Browsers put helpers into process groups of their own, so the group alone is not the tree. */
function descendants(root: number): number[] {
  const childrenOf = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const parent = /^\d+$/u.test(name) ? parentOf(name) : undefined;
    if (parent !== undefined) childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  for (const queue = [root]; queue.length > 0;) {
    const children = childrenOf.get(queue.pop() ?? 0) ?? [];
    found.push(...children);
    queue.push(...children);
  }
  return found;
}

function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined; // it ended between the two looks
  }
}
