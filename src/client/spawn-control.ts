/** The page's calls to an agent's worker. The worker is not trusted: only plain answers to open calls reach Comlink. */
import { transfer, wrap, type Endpoint } from "comlink";
import type { AgentControl } from "../core/agents/protocol.ts";
import type { CrashMessage } from "../core/agents/wire.ts";
import { decodeError, plainError, RuntimeError, type ErrorCode } from "../core/errors.ts";
import type { OnDeath } from "./spawn-carrier.ts";
import { noAnswer } from "./spawn-code.ts";

export interface Control {
  /** What the worker says of itself, unchecked. The longest that it may take is in milliseconds. */
  describe(timeout: number): Promise<unknown>;
  /** Gives the worker the port to serve. */
  serve(port: MessagePort): Promise<void>;
  /** Rejects what is open, and what comes. */
  close(error: RuntimeError): void;
}

export interface ControlOptions {
  readonly url: string;
  readonly port: MessagePort;
  /** The longest that taking a port may last, in milliseconds. */
  readonly timeout: number;
  readonly onDeath: OnDeath;
}

const CRASH: CrashMessage["type"] = "CRASH";

/** Messages that answer nothing: a worker that sends more of them is flooding the page. */
const MAX_STRANGE = 100;

export function createControl(options: ControlOptions): Control {
  const { url, port, timeout } = options;
  const open = new Map<string, Reject>(); // by the call's id
  const endpoint = createEndpoint(options, open);
  const remote = wrap<AgentControl>(endpoint); // kept by what is returned: Comlink loses the calls of a collected one
  let closed: RuntimeError | undefined;
  const call = <T>(ms: number, late: ErrorCode, begin: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      if (closed) throw closed;
      const timer = setTimeout(() => {
        reject(new RuntimeError(late, { url, reason: noAnswer(ms) }));
      }, ms);
      const settled = (): void => {
        clearTimeout(timer);
      };
      endpoint.calling = (error) => {
        settled();
        reject(error);
      };
      void begin().then(resolve, reject).finally(settled);
      endpoint.calling = undefined;
    });
  return {
    describe: (ms) => call(ms, "agent/load-failed", () => remote.describe()),
    serve: (data) => call(timeout, "agent/gone", () => remote.serve(transfer(data, [data]))),
    close(error) {
      closed = error;
      port.close();
      for (const reject of open.values()) reject(error);
      open.clear();
    },
  };
}

type Reject = (error: RuntimeError) => void;

interface GuardedEndpoint extends Endpoint {
  /** Rejects the call that is being posted. */
  calling: Reject | undefined;
}

function createEndpoint({ url, port, onDeath }: ControlOptions, open: Map<string, Reject>): GuardedEndpoint {
  let deliver: ((event: MessageEvent) => void) | undefined;
  let strange = 0;
  port.onmessage = ({ data }: MessageEvent<unknown>) => {
    const { id, type, value, error } = Object(data) as Partial<Incoming>;
    const reject = open.get(id as string);
    if (type === CRASH) {
      const cause = decodeError(plainError(error, "agent/crashed")); // whatever it is: bounded, and plain
      onDeath(cause.message, { cause });
    } else if (reject && open.delete(id as string)) {
      if (type === "RAW") deliver?.(new MessageEvent("message", { data: { id, type, value } }));
      else
        reject(new RuntimeError("agent/message-invalid", { url, reason: "a call was answered with no plain value" }));
    } else if (++strange > MAX_STRANGE) {
      onDeath("it floods its control port", { code: "agent/flooded" });
    }
  };
  return {
    calling: undefined,
    postMessage(message: { readonly id: string }, transferables: Transferable[] = []) {
      if (this.calling) open.set(message.id, this.calling);
      port.postMessage(message, transferables);
    },
    addEventListener(_type, listener) {
      deliver = listener as (event: MessageEvent) => void; // Comlink gives a function
    },
    removeEventListener: () => undefined,
  };
}

/** A {@link CrashMessage}, an answer as Comlink posts it, or anything. */
type Incoming = Readonly<Record<"id" | "type" | "value" | "error", unknown>>;
