/**
 * Serves an agent in a Web Worker. There are two doors: the page's two calls come over Comlink on a control port,
 * the host's frames come over the port that the page hands in by one of them.
 */
import type { AgentDefinition } from "../core/plugin/definition.ts";
import type { CrashMessage } from "../core/agents/wire.ts";
import { encodeError } from "../core/errors.ts";
import { createService } from "./agent-service.ts";

declare const self: DedicatedWorkerGlobalScope;

/** Serves the definition to the page that started this worker, and to the host that the page connects. */
export function exposeAgent<I, O>(definition: AgentDefinition<I, O>): void {
  const { run: _run, reset: _reset, input: _input, output: _output, ...description } = definition; // what is left is data
  const { serve, blame } = createService(definition);
  const connect = (page: MessagePort): void => {
    answer(page, description, serve);
    const crash = (thrown: unknown): void => {
      page.postMessage({ type: "CRASH", error: encodeError(thrown) } satisfies CrashMessage);
    };
    const takeUncaught = (event: Event & UncaughtEvent): void => {
      event.preventDefault();
      const thrown = event.reason ?? event.error ?? event.message;
      if (!blame(thrown)) crash(thrown);
    };
    addEventListener("unhandledrejection", takeUncaught);
    addEventListener("error", takeUncaught);
    const { close } = self;
    self.close = () => {
      crash("self.close()");
      close();
    };
  };
  addEventListener(
    "message",
    ({ ports }) => {
      ports.forEach(connect);
    },
    { once: true },
  );
  postMessage("ready"); // whoever started this worker posts the page's port now, and nothing else
}

/** An unhandled rejection, or an error. */
interface UncaughtEvent {
  readonly reason?: unknown;
  readonly error?: unknown;
  readonly message?: string;
}

/**
 * Answers the page's Comlink, but only the two calls of {@link AgentControl}. Comlink's own `expose` runs any path of
 * any object for its peer, and would be a third of what an agent has to load.
 */
function answer(page: MessagePort, description: unknown, serve: (port: MessagePort) => void): void {
  page.onmessage = ({ data }: MessageEvent<unknown>) => {
    const { id, type, path, argumentList } = Object(data) as Partial<Call>;
    const port = argumentList?.[0]?.value;
    const call = type === "APPLY" && String(path);
    if (call === "serve" && port instanceof MessagePort) serve(port);
    else if (call !== "describe") return;
    page.postMessage({ id, type: "RAW", value: description });
  };
}

/** A call as Comlink posts it. */
interface Call {
  readonly id: string;
  readonly type: string;
  readonly path: readonly string[];
  readonly argumentList: readonly ({ readonly value?: unknown } | undefined)[];
}
