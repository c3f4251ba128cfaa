/**
 * Rows of the archive and blobs that are damaged while a host runs: whoever asks for them gets what was written, or is told
 * by a code that it isn't there any more; the host goes on.
 */
import { createMemoryDisk, portOf, type MemoryDisk } from "../../../src/plugins/journals/memory-disk.ts";
import { Finding, type Door } from "../door.ts";
import { checkRefusal, setScene } from "../scene.ts";
import { bend, bendText } from "../schema.ts";
import { openStand, type Stand } from "../stand.ts";
import type { Tape } from "../tape.ts";
import { drawPosted } from "../values.ts";

const TASKS = ["d1", "d2", "d3", "d4"];
const BYTES = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9]);

interface Question {
  readonly query: object;
  /** The answer, as text. */
  readonly right: string;
}

async function answerOf(stand: Stand, query: object): Promise<{ readonly text: string; readonly code?: string }> {
  const { answers } = await stand.ask(query);
  const [answer] = answers;
  if (!answer) throw new Finding("no answer", JSON.stringify(query));
  if (answer.error) checkRefusal(answer.error);
  const { value } = answer;
  const text = value instanceof Uint8Array ? value.join() : JSON.stringify([value]);
  return { text, ...(answer.error && { code: answer.error.code }) };
}

/** Tasks that have ended, one of them badly, and bytes of one that lives. */
async function settle(stand: Stand): Promise<readonly Question[]> {
  await setScene(stand);
  const work = { input: "1", retry: { maxAttempts: 1 } };
  for (const id of TASKS)
    await stand.command({
      type: "task.create",
      data: { ...work, id, capabilities: [id === "d4" ? "work" : "nobody"] },
    });
  await stand.command(...TASKS.map((id) => ({ type: "task.cancel", data: { id } })));
  const { answers } = await stand.ask({ type: "blob.write", owner: "t2", bytes: BYTES.slice() });
  const ref = answers[0]?.value as { readonly blob: string; readonly size: number };
  const queries = [
    ...TASKS.map((id) => ({ type: "archived", id })),
    { type: "archive" },
    { type: "archive", prefix: "d" },
    { type: "archive", kind: "task", limit: 2 },
    { type: "dead-letters" },
    { type: "blob.read", blob: ref.blob, offset: 0, size: ref.size },
    { type: "blob.read", blob: ref.blob, offset: 2, size: 3 },
  ];
  const questions: Question[] = [];
  for (const query of queries) questions.push({ query, right: (await answerOf(stand, query)).text });
  return questions;
}

function damage(disk: MemoryDisk, tape: Tape): unknown {
  const { archive, blobs } = portOf(disk).records;
  if (tape.once(3)) {
    const [id, blob] = tape.pick([...blobs]);
    if (tape.once(4)) blobs.delete(id);
    else if (tape.once(3)) blobs.set(id, { ...blob, bytes: blob.bytes.slice(0, tape.below(blob.bytes.length)) });
    else blobs.set(id, { ...blob, bytes: blob.bytes.map((byte) => (tape.once(4) ? tape.below(256) : byte)) });
    return blobs.get(id);
  }
  const row = tape.pick(archive);
  const sealed = row.value as { readonly text: string };
  row.value = tape.once(20)
    ? drawPosted(tape)
    : tape.once(2)
      ? { ...sealed, text: bendText(tape, sealed.text) }
      : bend(tape, structuredClone(row.value));
  return row;
}

export const rows: Door = {
  name: "rows",
  length: 12,
  async open(tape, look) {
    const disk = createMemoryDisk({ databaseId: () => "fuzz" });
    const stand = await openStand(tape, { disk });
    const questions = await settle(stand);
    const { records } = portOf(disk);
    const whole = records.archive.map(({ value }) => value);
    const bytes = [...records.blobs];
    return {
      async turn() {
        look.input(damage(disk, tape));
        const { query, right } = tape.pick(questions);
        const { text, code } = await answerOf(stand, query);
        look.outcome(code ?? "answered");
        if (code === undefined && text !== right)
          throw new Finding("another answer", `${JSON.stringify(query)} gave ${text}, and before ${right}`);
        for (const [place, row] of records.archive.entries()) if (place in whole) row.value = whole[place];
        for (const [id, blob] of bytes) records.blobs.set(id, blob);
      },
      close: () => stand.prove(),
      drop() {
        stand.stop();
      },
    };
  },
};
