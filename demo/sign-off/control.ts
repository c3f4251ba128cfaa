/** Asks for sign-offs, and keeps those that have ended at hand for the audit that is on show. */
import type { Runtime } from "../../src/index.ts";
import type { SignOffActions } from "../page/scene.ts";
import type { UiStore } from "../page/state.ts";
import type { Run } from "../run/run.ts";
import { auditOf, proposalOf, signedOff, signOffId, startSignOff, type SignedOff } from "./workflow.ts";

export interface SignOffControl {
  readonly actions: SignOffActions;
  /** Fetches what has become of the sign-offs of the run on show. */
  follow(run: Run | undefined): void;
  /** Something has happened to a run. */
  ended(id: string): void;
  /** What was fetched is gone from the storage, and so from here. */
  forget(): void;
}

export function createSignOffControl(runtime: Runtime, ui: UiStore, current: () => Run | undefined): SignOffControl {
  const asked = new Set<string>();
  const load = async (audit: string): Promise<void> => {
    const found = await endedOf(runtime, audit);
    ui.setState(({ signOffs }) => ({ signOffs: new Map(signOffs).set(audit, found) }));
  };
  return {
    follow(run) {
      if (run?.status !== "completed" || asked.has(run.id)) return;
      asked.add(run.id);
      load(run.id).catch(() => {
        asked.delete(run.id); // asked again when something changes
      });
    },
    ended(id) {
      const audit = auditOf(id);
      if (audit !== undefined && asked.has(audit)) load(audit).catch(() => undefined);
    },
    forget() {
      asked.clear();
      ui.setState({ signOffs: new Map() });
    },
    actions: {
      draft(change) {
        const run = current();
        if (run) ui.setState(({ proposal }) => ({ proposal: { ...proposal, ...change, audit: run.id } }));
      },
      ask() {
        const run = current();
        const { reports, signOffs, proposal } = ui.getState();
        const loaded = run && reports.get(run.id);
        const before = run && signOffs.get(run.id);
        if (loaded?.status !== "ready" || !before) return;
        const { audit, ...draft } = proposal ?? {};
        const proposed = { ...proposalOf(loaded.report, run.name), ...(audit === run.id && draft) };
        startSignOff(runtime, signOffId(run.id, before.length + 1), run.name, proposed);
        ui.setState({ proposal: undefined });
      },
      takeBack(id) {
        runtime.cancelWorkflow(id, "taken back by the person at the page");
      },
    },
  };
}

/** The sign-offs of an audit that have ended, in their order: each one is looked up by its number. */
async function endedOf(runtime: Runtime, audit: string): Promise<readonly SignedOff[]> {
  const found: SignedOff[] = [];
  for (let number = 1; ; number++) {
    const execution = await runtime.archive.execution(signOffId(audit, number));
    const one = execution && signedOff(execution);
    if (!one) return found;
    found.push(one);
  }
}
