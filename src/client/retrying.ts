/** What has ended, read from the archive, and how a part of it is done again. */
import { RuntimeError } from "../core/errors.ts";
import { decodeJson, type JsonText } from "../core/json.ts";
import type { ArchivePage, ArchiveRow } from "../core/ports.ts";
import { isSpilled, referTo, refsOf } from "../core/payload/reference.ts";
import type { PageRequest } from "../core/protocol.ts";
import type { Task } from "../core/tasks/task.ts";
import { workKey, type Execution, type NodeState } from "../core/workflows/execution.ts";
import type { Connection } from "./connection.ts";
import { storeText } from "./payloads.ts";
import type { RetryOptions } from "./runtime.ts";

type Asker = Pick<Connection, "ask">;
type Retry = Extract<PageRequest, { type: "execution.retry" }>;

/** Resolves with the id of the new run. */
export async function retryFrom(
  connection: Pick<Connection, "ask" | "command">,
  id: string,
  of: string,
  options?: RetryOptions,
): Promise<string> {
  connection.command(id, await retryOf(connection, of, id, options));
  return id;
}

/** The command that does it. @throws RuntimeError `execution/unknown` when no finished run has this id, `execution/finished` when it has been undone */
export async function retryOf(
  { ask }: Asker,
  of: string,
  id: string,
  { latest, ...options }: RetryOptions = {},
): Promise<Retry> {
  const row = (await ask({ type: "archived", id: of })) as ArchiveRow | undefined;
  if (row?.kind !== "execution" || of.includes("/")) throw new RuntimeError("execution/unknown", { id: of });
  const record = decodeJson(row.text, of) as Execution;
  const { workflow, version, priority, status, nodes = [] } = record;
  if (status.startsWith("compensat")) throw new RuntimeError("execution/finished", { id: of, status }); // nothing holds
  const results = await resultsOf({ ask }, record);
  const outputs: Record<string, JsonText> = {};
  for (const node of nodes)
    for (const [key, output] of Object.entries(outputsOf(node, results)))
      outputs[key] = await handOver({ ask }, id, output);
  const input = await handOver({ ask }, id, record.input);
  const failed = nodes.filter(hasFailed).map(({ node }) => node);
  const pinned = latest ? {} : { version };
  return {
    type: "execution.retry",
    data: { id, of, workflow, ...pinned, input, priority, ...options, failed, outputs },
  };
}

/** The text with its blobs, if it has any, as those of another run. */
async function handOver({ ask }: Asker, owner: string, text: JsonText): Promise<JsonText> {
  if (!isSpilled(text)) return text;
  let handed = text;
  for (const ref of refsOf(text)) {
    const { blob, size } = ref;
    const bytes = (await ask({ type: "blob.read", blob, offset: 0, size })) as Uint8Array;
    handed = handed.replaceAll(referTo(ref), await storeText({ ask }, owner, new TextDecoder().decode(bytes)));
  }
  return handed;
}

function hasFailed({ status, failed = 0 }: NodeState): boolean {
  return status === "failed" || failed > 0;
}

type Result = Pick<Task | Execution, "status" | "output" | "error">;

/** How the tasks and runs of the run have ended, by id; what it took over itself, as in the run that it was taken from. */
async function resultsOf({ ask }: Asker, { id: of, retriedFrom }: Execution): Promise<ReadonlyMap<string, Result>> {
  const results = new Map<string, Result>();
  if (retriedFrom !== undefined) {
    const row = (await ask({ type: "archived", id: retriedFrom })) as ArchiveRow | undefined;
    const earlier = row && (await resultsOf({ ask }, decodeJson(row.text) as Execution));
    for (const [id, result] of earlier ?? []) results.set(of + id.slice(retriedFrom.length), result);
  }
  let after: ArchivePage["next"];
  do {
    const page = (await ask({
      type: "archive",
      prefix: `${of}/`,
      limit: 1_000,
      ...(after && { after }),
    })) as ArchivePage;
    for (const { id, text } of page.rows) results.set(id, decodeJson(text, id) as Result);
    after = page.next;
  } while (after !== undefined);
  return results;
}

/** What a node put out, whole and by item. */
function outputsOf(node: NodeState, results: ReadonlyMap<string, Result>): Record<string, JsonText> {
  const { kind, status, total, done = 0, output } = node;
  const id = workKey(node);
  const isDone = status === "completed";
  if (output !== undefined) return isDone ? { [node.node]: output } : {};
  if (kind === "map" && total !== undefined) return itemsOf(node, total, results);
  const last = kind === "loop" ? `${id}/${String(done - 1)}` : id;
  const found = kind === "loop" && done === 0 ? "null" : results.get(last)?.output;
  return isDone && found !== undefined ? { [node.node]: found } : {};
}

function itemsOf(node: NodeState, total: number, results: ReadonlyMap<string, Result>): Record<string, JsonText> {
  const outputs: Record<string, JsonText> = {};
  const all = Array.from({ length: total }, (_none, index) => {
    const { status, output, error } = results.get(`${workKey(node)}/${String(index)}`) ?? {};
    if (status === "completed" && output !== undefined) outputs[`${node.node}/${String(index)}`] = output;
    else return JSON.stringify({ error: { code: error?.code ?? "unknown", message: error?.message ?? "" } });
    return output;
  });
  return node.status === "completed" ? { ...outputs, [node.node]: `[${all.join(",")}]` } : outputs;
}
