/** Runs cases of the conformance suite by name, in a dedicated or a shared worker. */
import { journalConformance } from "../../../src/testing.ts";
import { cannot, openHarness } from "./indexeddb-harness.ts";

/** Asks for one case. */
export interface CaseRequest {
  readonly id: number;
  readonly name: string;
  readonly seed: number;
}

/** How it went. */
export interface CaseReply {
  readonly id: number;
  readonly error?: string;
}

interface Scope {
  onmessage: ((event: MessageEvent<CaseRequest>) => void) | null;
  onconnect?: ((event: MessageEvent) => void) | null;
  postMessage(reply: CaseReply): void;
}

type Port = Pick<Scope, "onmessage" | "postMessage">;

function serve(port: Port): void {
  port.onmessage = ({ data }) => {
    void runCase(data).then((reply) => port.postMessage(reply));
  };
}

async function runCase({ id, name, seed }: CaseRequest): Promise<CaseReply> {
  try {
    const cases = journalConformance({ open: () => Promise.resolve(openHarness()), cannot, seed });
    const found = cases.find((each) => each.name === name);
    if (!found) throw new Error(`no case is called ${name}`);
    await found.run();
    return { id };
  } catch (error) {
    return { id, error: error instanceof Error ? `${error.message}\n${error.stack ?? ""}` : String(error) };
  }
}

const scope = globalThis as unknown as Scope; // a worker's, of which this project has no types
if ("SharedWorkerGlobalScope" in globalThis) {
  scope.onconnect = ({ ports: [port] }) => {
    if (port) serve(port);
  };
} else {
  serve(scope);
}
