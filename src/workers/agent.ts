/**
 * Serves an agent in a Web Worker. There are two doors: the page's two calls come over Comlink on a control port,
 * the host's frames come over the port that the page hands in by one of them.
 */
import type { AgentDefinition } from "../core/plugin/definition.ts";
import type { CrashMessage } from "../core/agents/wire.ts";
import { encodeError, RuntimeError } from "../core/errors.ts";
import { createService } from "./agent-service.ts";

declare const self: DedicatedWorkerGlobalScope;

/** Serves the definition to the page that started this worker, and to the host that the page connects. */
export function exposeAgent<I, O>(definition: AgentDefinition<I, O>): void {
  const { name, version, capabilities, description } = definition;
  const { serve, blame } = createService(definition);
  let page: MessagePort | undefined;
  const crash = (thrown: unknown): void => {
    const message: CrashMessage = { type: "CRASH", error: encodeError(thrown, "agent/failed") };
    page?.postMessage(message);
  };
  const take = (event: Event, thrown: unknown): void => {
    if (!page) return; // the start has failed: the page gets the event itself
    event.preventDefault();
    if (!blame(thrown)) crash(thrown);
  };

  self.addEventListener("message", ({ ports: [port] }) => {
    if (page || !port) return;
    page = port;
    answer(port, { describe: () => ({ name, version, capabilities, description }), serve });
  });
  self.addEventListener("unhandledrejection", (event) => {
    take(event, event.reason);
  });
  self.addEventListener("error", (event) => {
    take(event, event.error ?? event.message);
  });
  const close = self.close.bind(self);
  self.close = () => {
    crash(new RuntimeError("agent/crashed", { reason: "self.close()" }));
    close();
  };
  self.postMessage("ready");
}

/** The functions of {@link AgentControl}, on a real port. */
interface Control {
  describe(): unknown;
  serve(port: MessagePort): void;
}

/**
 * Answers the page's Comlink, but only the two calls of {@link AgentControl}. Comlink's own `expose` runs any path of
 * any object for its peer, and would be a third of what an agent has to load.
 */
function answer(page: MessagePort, { describe, serve }: Control): void {
  page.onmessage = ({ data }: MessageEvent<unknown>) => {
    const { id, type, path, argumentList } = Object(data) as Partial<Call>;
    const port = argumentList?.[0]?.value;
    let value: unknown;
    switch (`${String(type)} ${String(path)}`) {
      case "APPLY describe":
        value = describe();
        break;
      case "APPLY serve":
        if (!(port instanceof MessagePort)) return;
        serve(port);
        break;
      default:
        return;
    }
    page.postMessage({ id, type: "RAW", value });
  };
}

/** A call as Comlink posts it. */
interface Call {
  readonly id: string;
  readonly type: string;
  readonly path: readonly string[];
  readonly argumentList: readonly ({ readonly value?: unknown } | undefined)[];
}
