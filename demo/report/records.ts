/** What the archive and the blobs hold of audits that have ended, fetched when it is asked for. */
import type { ArchiveRow, ExecutionView, Runtime } from "../../src/index.ts";
import { pathsOf, reportOf } from "../audit.ts";
import { errorData } from "../page/errors.ts";
import type { HistoryEntry, LoadedReport, Route, UiStore } from "../page/state.ts";
import { isSignOff } from "../sign-off/workflow.ts";
import type { Run } from "../run/run.ts";

export interface Records {
  /** Fetches whatever the run on show needs. */
  follow(route: Route, run: Run | undefined): void;
  refreshHistory(): Promise<void>;
  /** What was fetched is gone from the storage, and so from here. */
  forget(): void;
  /** The next page of it. */
  loadHistory(): Promise<void>;
}

const PAGE = 10;

export function createRecords(runtime: Runtime, ui: UiStore): Records {
  const asked = new Set<string>();

  const loadEnded = async (id: string): Promise<void> => {
    const execution = await runtime.archive.execution(id).catch(() => undefined);
    if (!execution && runtime.executions.has(id)) return;
    ui.setState(({ ended }) => ({ ended: new Map(ended).set(id, execution ?? null) }));
  };

  const loadReport = async (run: Run): Promise<void> => {
    const loaded = await reportOf(run.output, runtime.blobs).then(
      (report): LoadedReport => ({ status: "ready", report }),
      (error: unknown): LoadedReport => ({ status: "gone", error: errorData(error) }),
    );
    ui.setState(({ reports }) => ({ reports: new Map(reports).set(run.id, loaded) }));
  };

  const loadPaths = async (id: string): Promise<void> => {
    const found = await pathsOf(runtime, id);
    ui.setState(({ paths }) => ({ paths: new Map(paths).set(id, found) }));
  };

  const once = (key: string, load: () => Promise<void>): void => {
    if (asked.has(key)) return;
    asked.add(key);
    load().catch(() => {
      asked.delete(key); // asked again when the run changes
    });
  };

  const load = async (first: string | undefined): Promise<void> => {
    const entries = first === undefined ? [] : [...(ui.getState().history?.entries ?? [])];
    const enough = entries.length + PAGE;
    let after = first;
    do {
      const query = { kind: "execution", limit: PAGE, ...(after !== undefined && { after }) } as const;
      const { rows, next } = await runtime.archive.list(query);
      entries.push(...rows.flatMap(entryOf));
      after = next;
    } while (after !== undefined && entries.length < enough); // pages may hold other runs than audits
    ui.setState({ history: { entries, next: after } });
  };

  return {
    follow(route, run) {
      if (route.kind === "run" && !runtime.executions.has(route.id)) once(`run ${route.id}`, () => loadEnded(route.id));
      if (run && (run.approval !== undefined || run.status === "completed"))
        once(`paths ${run.id}`, () => loadPaths(run.id));
      if (run?.status === "completed") once(`report ${run.id}`, () => loadReport(run));
    },
    forget() {
      asked.clear();
      ui.setState({ ended: new Map(), reports: new Map(), paths: new Map() });
      load(undefined).catch(() => undefined);
    },
    refreshHistory: () => load(undefined).catch(() => undefined),
    loadHistory: () => load(ui.getState().history?.next).catch(() => undefined),
  };
}

function entryOf({ text }: ArchiveRow): HistoryEntry[] {
  const row = JSON.parse(text) as Pick<ExecutionView, "id" | "workflow" | "status" | "startedAt" | "finishedAt"> & {
    readonly input: string;
  };
  const { id, status, startedAt, finishedAt = startedAt } = row;
  if (isSignOff(row)) return []; // it is shown with its audit
  return [{ id, name: nameIn(row.input), status, finishedAt, duration: finishedAt - startedAt }];
}

function nameIn(input: string): string {
  const value: unknown = JSON.parse(input);
  const name = typeof value === "object" && value !== null && "name" in value ? value.name : undefined;
  return typeof name === "string" ? name : "Unnamed code base";
}
