/** The page's end of the wire to a command line that opened it; the other end is scripts/start/headless/session.js. */
import type { ReportFile } from "../report/files.ts";

/** What the command wants. */
export interface Job {
  /** The run's id: known before the page is, so that it can be taken up again. */
  readonly id: string;
  readonly name: string;
  readonly approve: "all" | "none";
  readonly reviewer: string;
}

export interface StepNews {
  readonly id: string;
  readonly title: string;
  readonly status: string;
  readonly done?: number | undefined;
  readonly total?: number | undefined;
  readonly ms?: number | undefined;
}

export interface SummaryNews {
  readonly files: number;
  readonly total: number;
  readonly bySeverity: Readonly<Record<string, number>>;
  readonly accepted: number;
  readonly dismissed: number;
}

export type News =
  | {
      readonly kind: "begun";
      readonly run: string;
      readonly resumed?: { readonly done: number; readonly total: number };
    }
  | { readonly kind: "progress"; readonly steps: readonly StepNews[] }
  | { readonly kind: "done"; readonly steps: readonly StepNews[]; readonly summary: SummaryNews }
  | { readonly kind: "failed"; readonly code: string; readonly message: string };

export interface Session {
  job(): Promise<Job>;
  input(): Promise<Uint8Array>;
  tell(news: News): Promise<void>;
  deliver(file: ReportFile): Promise<void>;
}

/** The session that the address names, if it names one. */
export function sessionOf(hash: string): Session | undefined {
  const token = /^#\/session\/([\w-]{32})$/u.exec(hash)?.[1];
  return token === undefined ? undefined : createSession(`session/${token}/`);
}

function createSession(base: string): Session {
  const ask = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const response = await fetch(base + path, init);
    if (!response.ok) throw new Error(`${path}: ${String(response.status)}`);
    return response;
  };
  return {
    job: async () => readJob(await (await ask("job")).json()),
    input: async () => new Uint8Array(await (await ask("input")).arrayBuffer()),
    async tell(news) {
      await ask("news", { method: "POST", body: JSON.stringify(news) });
    },
    async deliver({ name, bytes }) {
      await ask(name, { method: "PUT", body: bytes });
    },
  };
}

function readJob(value: unknown): Job {
  const { id, name, approve, reviewer } = value as Readonly<Record<string, unknown>>; // checked here
  if (typeof id !== "string" || typeof name !== "string" || typeof reviewer !== "string") throw new Error("not a job");
  return { id, name, approve: approve === "none" ? "none" : "all", reviewer };
}
