/** Takes a code base in: reads it, stores its bytes beside the journal, and starts the audit that owns them. */
import type { Runtime } from "../../src/index.ts";
import { SAMPLE, startAudit } from "../audit.ts";
import { errorData } from "../page/errors.ts";
import { explain } from "../page/faults.ts";
import type { Actions } from "../page/scene.ts";
import type { UiStore } from "../page/state.ts";
import { readDropped, readPicked, Refusal, type OnRead, type Source } from "./source.ts";

export function createIntake(
  runtime: Runtime,
  ui: UiStore,
  open: (id: string) => void,
): Pick<Actions, "pickFiles" | "drop" | "drag" | "startSample" | "dismissRefusal"> {
  const onRead: OnRead = (name, done, total) => {
    ui.setState({ intake: { step: "reading", name, done, total } });
  };
  const take = async (name: string, read: () => Promise<Source>): Promise<void> => {
    const { step } = ui.getState().intake;
    if (step === "reading" || step === "storing") return;
    try {
      onRead(name, 0, 0);
      const source = await read();
      ui.setState({ intake: { step: "storing", name: source.name, done: 0, total: 0 } });
      const id = await startAudit(runtime, source);
      ui.setState({ intake: { step: "idle" } });
      open(id);
    } catch (error) {
      ui.setState({ intake: { step: "refused", ...refusalOf(name, error) } });
    }
  };
  return {
    pickFiles(files) {
      void take(files[0]?.name ?? "The choice", () => readPicked(files, onRead));
    },
    drop(transfer) {
      ui.setState({ dragging: false });
      const reading = readDropped(transfer, onRead); // now: the transfer is empty once the event is over
      reading.catch(() => undefined); // whoever awaits it hears of the refusal
      void take("What was dropped", () => reading);
    },
    drag(dragging) {
      ui.setState({ dragging });
    },
    startSample() {
      void take(SAMPLE.name, readSample);
    },
    dismissRefusal() {
      ui.setState({ intake: { step: "idle" } });
    },
  };
}

async function readSample(): Promise<Source> {
  const response = await fetch(SAMPLE.file).catch(() => undefined);
  if (!response?.ok)
    throw new Refusal("The sample", "It could not be read: the server that gave you this page does not answer.");
  return { name: SAMPLE.name, bytes: new Uint8Array(await response.arrayBuffer()) };
}

function refusalOf(name: string, error: unknown): { readonly name: string; readonly reason: string } {
  if (error instanceof Refusal) return { name: error.source, reason: error.message };
  const { what, advice } = explain(errorData(error));
  return { name, reason: `${what} ${advice}` };
}
