/** Where a run stands, asked of the host while it lives, and of the archive afterwards. */
import { RuntimeError } from "../core/errors.ts";
import { decodeJson } from "../core/json.ts";
import type { ArchivePage, ArchiveRow } from "../core/ports.ts";
import type { Execution } from "../core/workflows/execution.ts";
import { pathWithin, progressOf, type Inner } from "../core/workflows/progress.ts";
import type { Standing, StandingRun } from "../core/workflows/standing.ts";
import type { Connection } from "./connection.ts";
import type { ProgressView } from "./timing-types.ts";

type Asker = Pick<Connection, "ask">;

/** @throws RuntimeError `execution/unknown` */
export async function progress(
  { ask }: Asker,
  id: string,
  { within = false }: { readonly within?: boolean } = {},
): Promise<ProgressView> {
  const { runs, tasks } = (await ask({ type: "standing", id, within })) as Standing;
  const [run = await endedRun({ ask }, id), ...open] = runs;
  const inner = new Map<string, Inner>([...open, ...tasks].map((one) => [one.id, one]));
  if (within) for await (const one of endedWithin({ ask }, id)) inner.set(one.id, one); // it may have ended meanwhile
  const { nodes, variables, ...record } = run;
  const all = [...inner.values()];
  return {
    ...record,
    ...progressOf(run),
    ...(within && { executionPath: pathWithin(run, all) }),
    variables: variables === undefined ? {} : (decodeJson(variables, "variables") as ProgressView["variables"]),
    runs: all.filter((one) => one.startedAt !== undefined && one.createdAt === undefined).map((one) => one.id),
  };
}

async function endedRun({ ask }: Asker, id: string): Promise<StandingRun> {
  const row = (await ask({ type: "archived", id })) as ArchiveRow | undefined;
  if (row?.kind !== "execution") throw new RuntimeError("execution/unknown", { id });
  return withoutPayloads(decodeJson(row.text, id) as Execution);
}

function withoutPayloads({ input: _, item: __, output: ___, nodes = [], ...run }: Execution): StandingRun {
  return { ...run, nodes };
}

/** Without payloads, of which there may be many. */
function part({ id, parent, startedAt, createdAt, finishedAt, nodes }: Inner): Inner {
  return { id, parent, startedAt, createdAt, finishedAt, nodes };
}

/** Tasks and runs of the run that have ended. */
async function* endedWithin({ ask }: Asker, of: string): AsyncGenerator<Inner, void, undefined> {
  let after: ArchivePage["next"];
  do {
    const query = { type: "archive", prefix: `${of}/`, limit: 1_000, ...(after && { after }) } as const;
    const page = (await ask(query)) as ArchivePage;
    for (const { id, text } of page.rows) yield part(decodeJson(text, id) as Inner);
    after = page.next;
  } while (after !== undefined);
}
