/** Commands, questions and frames of a page. */
import { PageCommandSchema, PageFrameSchema, QuerySchema } from "../../../src/core/protocol.ts";
import { Finding, type Door, type Episode, type Look } from "../door.ts";
import { checkRefusal, hintsOf, setScene } from "../scene.ts";
import { bend, drawFrom } from "../schema.ts";
import { openStand, type Stand, type Told } from "../stand.ts";
import type { Tape } from "../tape.ts";
import { drawPosted } from "../values.ts";

/** Refusals that are themselves facts: a journal that says nothing of them would hide that somebody tried. */
const RECORDED = new Set(["approval.refused"]);

type Turn = (stand: Stand, tape: Tape, look: Look) => Promise<void>;

/** An episode over a scene; now and then time passes. */
export function overScene(turn: Turn, prepare?: (stand: Stand) => Promise<void>): Door["open"] {
  return async (tape, look): Promise<Episode> => {
    const stand = await openStand(tape, { audited: tape.once(10) });
    await setScene(stand);
    await prepare?.(stand);
    return {
      async turn() {
        if (tape.once(10)) await stand.advance(tape.pick([1, 600, 600, 5_000, 5_000, 70_000, 700_000]));
        await turn(stand, tape, look);
      },
      close: () => stand.prove(),
      drop() {
        stand.stop();
      },
    };
  };
}

/** Notes what came of a command, and that a refused one has changed nothing. */
export function judge(stand: Stand, look: Look, before: string, written: number, { refused, replies }: Told): void {
  for (const [, error] of refused) {
    checkRefusal(error);
    look.outcome(error.code);
  }
  if (replies > 0 && refused.length === 0) look.outcome("taken");
  if (refused.length === 0) return;
  const news = stand.events.slice(written).map(({ type }) => type);
  const others = news.filter((type) => type !== "session.advanced" && !RECORDED.has(type));
  if (others.length > 0) throw new Finding(`refused with ${others[0] ?? ""}`, `refused, yet: ${others.join()}`);
  if (stand.state() !== before) throw new Finding("refused and changed", "the state is another after a refusal");
}

function drawCommand(stand: Stand, tape: Tape): unknown {
  if (tape.once(60)) return drawPosted(tape);
  const command = drawFrom(tape, PageCommandSchema, hintsOf(stand));
  return tape.below(5) < 3 ? command : bend(tape, command);
}

export const commands: Door = {
  name: "commands",
  length: 40,
  open: overScene(async (stand, tape, look) => {
    const command = drawCommand(stand, tape);
    const before = stand.state();
    const written = stand.events.length;
    look.input(command);
    const told = await stand.command(command);
    judge(stand, look, before, written, told);
  }),
};

export const queries: Door = {
  name: "queries",
  length: 40,
  open: overScene(async (stand, tape, look) => {
    const drawn = tape.once(40) ? drawPosted(tape) : drawFrom(tape, QuerySchema, hintsOf(stand));
    const query = tape.below(3) < 2 ? drawn : bend(tape, drawn);
    look.input(query);
    const { answers } = await stand.ask(query);
    for (const { error } of answers) {
      if (error) checkRefusal(error);
      look.outcome(error?.code ?? "answered");
    }
    if (answers.length === 0) look.outcome("waits");
  }),
};

/** Numbers of commands that are too low, too high, or come twice. */
function drawNumbers(stand: Stand, tape: Tape): number {
  return tape.pick([stand.next, 1, 0, stand.next + 1, stand.next - 1, 2 ** 53 - 1, stand.next + 1_000]);
}

export const frames: Door = {
  name: "frames",
  length: 40,
  open: overScene(async (stand, tape, look) => {
    const hints = {
      ...hintsOf(stand),
      first: (from: Tape) => drawNumbers(stand, from),
      acknowledged: (from: Tape) => drawNumbers(stand, from),
      command: (from: Tape) => drawCommand(stand, from),
      query: (from: Tape) => drawFrom(from, QuerySchema, hintsOf(stand)),
      protocol: (from: Tape) => from.pick([1, 2, 3, 4, 5, 6]),
      frames: (from: Tape) => drawPosted(from),
    };
    const frame = tape.once(30) ? drawPosted(tape) : drawFrom(tape, PageFrameSchema, hints);
    const given = tape.below(2) < 1 ? frame : bend(tape, frame);
    look.input(given);
    const { refused, answers, replies } = await stand.post(given);
    for (const [, error] of refused) checkRefusal(error);
    for (const { error } of answers) if (error) checkRefusal(error);
    look.outcome(
      refused[0]?.[1].code ?? answers[0]?.error?.code ?? (replies + answers.length > 0 ? "taken" : "silence"),
    );
    await stand.hello(); // the page comes back under its own session, whatever it has said
  }),
};
