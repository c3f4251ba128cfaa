/** The workers that engines run in: one attempt in each at a time, so that ending one ends nothing else. */
import { RuntimeError } from "../../core/errors.ts";
import { platform } from "./platform.ts";
import type { FromEngine, ToEngine } from "./protocol.ts";

/** An engine's worker. */
export interface Seat {
  post(message: ToEngine): void;
  /** `broke` is called when the worker dies by itself. */
  listen(hear: (message: FromEngine) => void, broke: (reason: string) => void): void;
  /** Ends it, whatever it does. */
  end(): void;
}

export interface Pool {
  /** @throws RuntimeError `agent/crashed` when no engine comes up */
  take(): Promise<Seat>;
  /** Takes back a seat whose attempt has ended by itself. */
  give(seat: Seat): void;
}

/** From the start of a worker to its first word, in milliseconds. None of it needs the network. */
const PATIENCE = 15_000;
/** So many workers are kept for the next attempts. */
const MAX_IDLE = 1;

export function createPool(start: () => Seat): Pool {
  const idle: Seat[] = [];
  return {
    take: async () => idle.pop() ?? launch(start()),
    give(seat) {
      if (idle.length < MAX_IDLE) idle.push(seat);
      else seat.end();
    },
  };
}

function launch(seat: Seat): Promise<Seat> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      platform.clearTimeout(timer);
      seat.end();
      reject(new RuntimeError("agent/crashed", { reason: `the interpreter doesn't start: ${reason}` }));
    };
    const timer = platform.setTimeout(() => {
      fail(`no word within ${PATIENCE} ms`);
    }, PATIENCE);
    seat.listen(() => {
      platform.clearTimeout(timer);
      resolve(seat);
    }, fail);
  });
}

/** Starts workers of a script's text. In a cell these inherit its policy. */
export function startWorkers(text: string): () => Seat {
  return () => {
    const url = platform.URL.createObjectURL(new platform.Blob([text], { type: "text/javascript" }));
    const worker = new platform.Worker(url, { name: "interpreter" });
    return {
      post(message) {
        worker.postMessage(message);
      },
      listen(hear, broke) {
        worker.onmessage = ({ data }) => {
          platform.URL.revokeObjectURL(url);
          hear(data as FromEngine); // our own script's
        };
        worker.onerror = ({ message }) => {
          broke(message ?? "no reason told");
        };
      },
      end() {
        worker.terminate();
      },
    };
  };
}
