/** Starts agents' workers for this page: in cells without an origin or, for trusted code, as workers of the page. */
import * as v from "valibot";
import { encodeError, RuntimeError, type ErrorData } from "../core/errors.ts";
import { AgentDescriptionSchema, type AgentDescription } from "../core/plugin.ts";
import { canWeigh } from "./can-weigh.ts";
import { isSelfSandboxed } from "./self-sandboxed.ts";
import type { Manifest } from "../core/agents/manifest.ts";
import type { Carrier, OnDeath, OnMemory } from "./spawn-carrier.ts";
import { loadCode, type Code } from "./spawn-code.ts";
import { createControl, type Control } from "./spawn-control.ts";
import { startFrame } from "./spawn-frame.ts";
import { startWorker } from "./spawn-worker.ts";

export interface SpawnOptions {
  /** Where the agent's code is: one self-contained script. */
  readonly url: string;
  /** True: a worker of the page's own origin. Default: an isolated cell. */
  readonly trusted?: boolean;
  /** Hosts that an isolated agent may connect to, as `https://host[:port]`; never the page's own. Default none. */
  readonly network?: readonly string[];
  /** SHA-256 that an isolated agent's code must have, as `sha256-` and base 64. */
  readonly integrity?: string;
  /** Where Troupe's cell.html is. */
  readonly cellURL: string;
  /** The longest that the start, or a call later, may take, in milliseconds. Default 30,000. */
  readonly timeout?: number;
  /** With a bound of memory the worker's is watched, where the browser tells it. */
  readonly resourceLimits?: Manifest["resourceLimits"];
}

/** An agent's worker that runs. */
export interface Cell {
  readonly description: AgentDescription;
  /** SHA-256 of the code; empty when it is trusted. */
  readonly integrity: string;
  /** A new data port for the host: the worker serves it instead of the one before. */
  serve(): MessagePort;
  /** Resolves with why the worker died by itself, and is gone now; never after `kill`. */
  readonly crashed: Promise<ErrorData>;
  /** Ends the worker at once. */
  kill(): void;
  /** Called with the worker's memory, if that is watched. */
  onMemory?: OnMemory;
}

const TIMEOUT = 30_000;

/**
 * Starts a worker, and waits until it has described itself.
 * @throws RuntimeError `agent/load-failed`, `agent/integrity`, `agent/manifest-invalid` or `agent/message-invalid`,
 *   with the URL and the reason; nothing of the worker is left then.
 */
export async function spawnCell(options: SpawnOptions): Promise<Cell> {
  const { url, integrity, trusted = false, timeout = TIMEOUT } = options;
  checkOptions(options);
  const started = performance.now();
  const code = trusted ? undefined : await loadCode({ url, integrity, timeout });
  const selfSandboxed = code !== undefined && (await isSelfSandboxed(new URL(options.cellURL, document.baseURI).href));
  const life = startLife(options, code, selfSandboxed);
  try {
    const described = await life.control.describe(timeout - (performance.now() - started));
    const description = readDescription(url, described);
    life.begin();
    const cell: Cell = {
      description,
      integrity: code?.integrity ?? "",
      serve: life.serve,
      crashed: life.crashed,
      kill() {
        life.end(new RuntimeError("agent/gone", { url, reason: "it was killed" }));
      },
    };
    life.weighed = (bytes) => cell.onMemory?.(bytes);
    return cell;
  } catch (error) {
    life.end(new RuntimeError("agent/gone", { url }));
    throw error;
  }
}

/** @throws RuntimeError `agent/manifest-invalid`, `agent/integrity` */
function checkOptions({ url, trusted = false, network = [], integrity }: SpawnOptions): void {
  const refuse = (host: string, reason: string): RuntimeError =>
    new RuntimeError("agent/manifest-invalid", { url, field: "network", host, reason });
  for (const host of network) {
    if (!HOST.test(host)) throw refuse(host, "a host is written https://host[:port]");
    if (new URL(host).origin === location.origin) throw refuse(host, "the page's own origin: cookies might go along");
  }
  if (trusted && integrity !== undefined)
    throw new RuntimeError("agent/integrity", { url, reason: "a browser checks no hash of a trusted worker's code" });
}

const HOST = /^https?:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?$/u;

/** @throws RuntimeError `agent/manifest-invalid`, naming the field */
function readDescription(url: string, described: unknown): AgentDescription {
  const invalid = (field: string, reason: string, cause?: unknown): RuntimeError =>
    new RuntimeError("agent/manifest-invalid", { url, field, reason }, { cause });
  let result;
  try {
    result = v.safeParse(AgentDescriptionSchema, described);
  } catch (cause) {
    throw invalid("", "it cannot be read", cause);
  }
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw invalid(v.getDotPath(issue) ?? "", issue.message);
}

/** A worker from its start to its end. */
interface Life {
  readonly control: Control;
  readonly crashed: Promise<ErrorData>;
  /** From now on a death is a crash, and no failed start. */
  begin(): void;
  serve(): MessagePort;
  end(error: RuntimeError): void;
  weighed?: OnMemory;
}

/** The carriers that run: what nobody refers to might be collected. */
const running = new Set<Carrier>();

function startLife(
  { url, cellURL, network = [], timeout = TIMEOUT, resourceLimits }: SpawnOptions,
  code: Code | undefined,
  selfSandboxed: boolean,
): Life {
  let isStarting = true;
  let ended: RuntimeError | undefined;
  let tellCrash: ((error: ErrorData) => void) | undefined;
  const crashed = new Promise<ErrorData>((resolve) => (tellCrash = resolve));
  const onDeath: OnDeath = (reason, { code: kind, cause } = {}) => {
    if (ended) return;
    const usual = isStarting ? "agent/load-failed" : "agent/crashed";
    end(new RuntimeError(kind ?? usual, { url, reason }, { cause }));
    if (!isStarting) tellCrash?.(encodeError(ended));
  };
  const onMemory = isWeighed(resourceLimits) ? (bytes: number): void => life.weighed?.(bytes) : undefined;
  const carrier = code
    ? startFrame({ url, code: code.bytes, cellURL, network, selfSandboxed, onMemory }, onDeath)
    : startWorker({ url, timeout, onMemory }, onDeath);
  running.add(carrier);
  const control = createControl({ url, port: carrier.control, timeout, onDeath });
  const end = (error: RuntimeError): void => {
    ended ??= error;
    running.delete(carrier);
    carrier.stop();
    control.close(ended);
  };
  const life: Life = {
    control,
    crashed,
    begin() {
      if (ended) throw ended;
      isStarting = false;
    },
    serve() {
      const { port1, port2 } = new MessageChannel();
      control.serve(port1).catch((error: unknown) => {
        // a worker that is busy takes it later; one that answers with anything but a plain value is broken
        if (error instanceof RuntimeError && error.code === "agent/message-invalid") onDeath(error.message, error);
      });
      return port2;
    },
    end,
  };
  return life;
}

/** Whether the memory of a worker with these bounds can be told, and somebody wants to know. */
function isWeighed({ maxMemoryMB, maxMemoryGrowthMB }: NonNullable<Manifest["resourceLimits"]> = {}): boolean {
  return canWeigh() && (maxMemoryMB ?? maxMemoryGrowthMB) !== undefined;
}
