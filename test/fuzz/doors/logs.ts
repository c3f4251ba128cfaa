/** Exported audit logs that somebody has changed. */
import { createHash } from "node:crypto";
import { exportAudit, verifyAudit, type AuditHead } from "../../../src/core/audit/verify.ts";
import type { AuditStore } from "../../../src/core/ports.ts";
import { createMemoryDisk } from "../../../src/plugins/journals/memory-disk.ts";
import { createMemoryJournal } from "../../../src/plugins/journals/memory.ts";
import { Finding, type Door } from "../door.ts";
import { setScene } from "../scene.ts";
import { bend, bendText } from "../schema.ts";
import { openStand } from "../stand.ts";
import { playTape, type Tape } from "../tape.ts";
import { drawPosted, textOf } from "../values.ts";

const digest = (text: string): Promise<string> => Promise.resolve(createHash("sha256").update(text).digest("hex"));

let exported: Promise<readonly string[]> | undefined;

/** A log of some lines, made once. */
async function makeLog(): Promise<readonly string[]> {
  const disk = createMemoryDisk({ databaseId: () => "fuzz" });
  const stand = await openStand(playTape([]), { audited: true, disk });
  await setScene(stand);
  for (let count = 0; count < 6; count++)
    await stand.command({ type: "task.cancel", data: { id: `t${count}`, reason: "why ü 😀" } });
  stand.stop();
  const journal = createMemoryJournal({ disk });
  await journal.open();
  const lines: string[] = [];
  for await (const line of exportAudit(journal.audit as AuditStore)) lines.push(line);
  return lines;
}

function drawChange(tape: Tape, lines: readonly string[]): string[] {
  const changed = [...lines];
  const at = tape.below(lines.length);
  const line = lines[at] ?? "";
  switch (tape.below(8)) {
    case 0:
    case 1:
      return changed.with(at, bendText(tape, line));
    case 2:
      return changed.with(at, textOf(bend(tape, JSON.parse(line))));
    case 3:
      return changed.toSpliced(at, 1 + tape.below(3));
    case 4:
      return changed.toSpliced(tape.below(lines.length + 1), 0, line);
    case 5:
      return tape.shuffle(changed.slice(0, 6)).concat(changed.slice(6));
    case 6:
      return changed.toSpliced(at, 0, textOf(drawPosted(tape)));
    default:
      return changed.slice(0, at + 1).concat(changed.slice(-1 - tape.below(2)));
  }
}

export const logs: Door = {
  name: "logs",
  length: 60,
  async open(tape, look) {
    const lines = await (exported ??= makeLog());
    const anchors: AuditHead[] = [];
    return {
      async turn() {
        const changed = drawChange(tape, lines);
        look.input(changed);
        const verdict = await verifyAudit(changed, { digest, anchors });
        if (verdict.ok !== (changed.join("\n") === lines.join("\n")))
          throw new Finding(verdict.ok ? "tampered and taken" : "genuine and refused", JSON.stringify(verdict));
        if (!verdict.ok && !(verdict.problem !== "" && verdict.line >= 0)) throw new Finding("no problem", "");
        look.outcome(verdict.ok ? "taken" : `log/${verdict.problem.replace(/\d+/gu, "n")}`);
      },
    };
  },
};
