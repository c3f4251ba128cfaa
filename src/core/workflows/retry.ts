/** Doing a part of a finished run again: a new run, which takes over what the finished one has done. */
import { RuntimeError } from "../errors.ts";
import { checkJson, decodeJson, MAX_PAYLOAD, type JsonText } from "../json.ts";
import { MARK, refsOf } from "../payload/reference.ts";
import type { ExecutionRetry } from "./retry-order.ts";

/** As much of a graph as says what comes behind a node. */
interface Linked {
  readonly nodes: ReadonlyMap<
    string,
    { readonly outs: readonly { readonly target: readonly [string, ...unknown[]] }[] }
  >;
}

/**
 * What the new run takes over.
 * @throws RuntimeError `command/invalid`, `payload/too-large`, and what is wrong with an output
 */
export function recordedOf({ nodes }: Linked, retry: ExecutionRetry): Readonly<Record<string, string>> {
  const { node, downstream, onlyFailed, failed, outputs } = retry;
  for (const known of [...(node === undefined ? [] : [node]), ...failed])
    if (!nodes.has(known)) throw invalid(retry, `there is no node '${known}'`);
  const within = node === undefined ? new Set(nodes.keys()) : behind({ nodes }, [node]);
  const starts = node === undefined || onlyFailed ? failed.filter((one) => within.has(one)) : [node];
  if (starts.length === 0) throw invalid(retry, "nothing of it has failed");
  const again = downstream ? behind({ nodes }, starts) : new Set(starts);
  const partial = new Set(onlyFailed || node === undefined ? starts : []);
  const recorded: Record<string, string> = {};
  let size = 0;
  for (const [key, output] of Object.entries(outputs)) {
    const [owner = "", index] = key.split("/");
    const isTaken = index === undefined ? !again.has(owner) : partial.has(owner);
    if (!isTaken || !nodes.has(owner)) continue;
    checkOutput(output, retry.id, key);
    size += output.length;
    recorded[key] = output;
  }
  if (size > MAX_PAYLOAD) throw new RuntimeError("payload/too-large", { id: retry.of, size, limit: MAX_PAYLOAD });
  return recorded;
}

/** JSON, in which blobs of the new run may stand for values. */
function checkOutput(output: JsonText, id: string, what: string): void {
  checkJson(output, what);
  decodeJson(
    output
      .split(MARK)
      .map((part, at) => (at % 2 === 1 ? "null" : part))
      .join(""),
    what,
  );
  if (output.includes(MARK) && !refsOf(output).every(({ blob }) => blob.startsWith(`${id}:`)))
    throw new RuntimeError("json/invalid", { what, reason: `no blob of ${id}` });
}

function behind({ nodes }: Pick<Linked, "nodes">, starts: readonly string[]): ReadonlySet<string> {
  const found = new Set(starts);
  for (const id of found) for (const { target } of nodes.get(id)?.outs ?? []) found.add(target[0]);
  return found;
}

function invalid({ of }: ExecutionRetry, reason: string): RuntimeError {
  return new RuntimeError("command/invalid", { command: "execution.retry", execution: of, reason });
}
