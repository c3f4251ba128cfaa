/** The audit log, read from the host in pages. */
import {
  exportAudit,
  verifyAudit,
  type AuditHead,
  type AuditSource,
  type AuditVerdict,
  type BatchDigest,
  type KeptBatches,
} from "../core/audit/verify.ts";
import { RuntimeError } from "../core/errors.ts";
import type { AuditCalls } from "./audit-types.ts";
import type { Connection } from "./connection.ts";
import { isolated } from "./isolated.ts";

type Asker = Pick<Connection, "ask">;

export function exportLog(connection: Asker): Promise<Blob> {
  return undisturbed(async () => {
    const parts: string[] = [];
    for await (const line of exportAudit(sourceOf(connection))) parts.push(line, "\n");
    return new Blob(parts, { type: "application/jsonl" });
  });
}

/** Begins again when lines were let go of meanwhile, which is rare: it takes millions of characters. */
async function undisturbed<T>(walk: () => Promise<T>): Promise<T> {
  try {
    return await walk();
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "journal/conflict") return walk();
    throw error;
  }
}

export function verifyLog(connection: Asker, anchors: readonly AuditHead[] = []): Promise<AuditVerdict> {
  const batches = (): Promise<KeptBatches> => readBatches(connection);
  return undisturbed(() => verifyAudit(exportAudit(sourceOf(connection)), { digest: sha256, anchors, batches }));
}

/** All of the journal's batches that are there. */
async function readBatches({ ask }: Asker): Promise<KeptBatches> {
  let [from, after] = [Infinity, 0];
  const digests = new Map<number, string>();
  for (;;) {
    try {
      const some = (await ask({ type: "audit", batches: true, after })) as readonly BatchDigest[];
      const [first] = some;
      if (!first) return { from, digests };
      if (first[0] > after + 1) digests.clear(); // those before were let go of, perhaps just now
      if (digests.size === 0) [from] = first;
      for (const [, to, digest] of some) digests.set((after = to), digest);
    } catch (error) {
      const { seq = NaN, reason } = (error as RuntimeError).detail as { seq?: number; reason: string };
      if (!(error instanceof RuntimeError && error.code === "journal/corrupt")) throw error;
      return { from: Math.min(from, seq), digests, damage: { seq, reason } };
    }
  }
}

export async function onAnchor(
  connection: Asker,
  listener: Parameters<AuditCalls["audit"]["onAnchor"]>[0],
  { every = 60_000 }: { readonly every?: number } = {},
): Promise<() => void> {
  if (!(every >= 1_000 && every <= 86_400_000))
    throw new RuntimeError("command/invalid", { every, expected: "1,000 to 86,400,000 ms" });
  if (typeof listener !== "function") throw new RuntimeError("command/invalid", { listener: typeof listener });
  let known = "";
  const look = async (): Promise<void> => {
    const head = await sourceOf(connection).end();
    if (!head || head.hash === known) return;
    known = head.hash;
    isolated(() => {
      listener({ n: head.n, hash: head.hash });
    });
  };
  await look();
  const timer = setInterval(() => {
    look().catch(() => undefined); // there is no host just now
  }, every);
  return () => {
    clearInterval(timer);
  };
}

function sourceOf({ ask }: Asker): AuditSource {
  return {
    end: async () => (await ask({ type: "audit" })) as AuditHead | undefined,
    read: async (after) => (await ask({ type: "audit", after })) as readonly string[],
  };
}

async function sha256(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
