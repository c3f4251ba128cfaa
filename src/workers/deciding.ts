/** What a page may say to the core: checked, with the name of who says it, and as long as there is space for it. */
import type { Engine } from "../core/engine.ts";
import { encodeError, RuntimeError, type ErrorData } from "../core/errors.ts";
import type { Journal } from "../core/ports.ts";
import { PageCommandSchema, type PageCommand } from "../core/protocol.ts";
import type { CoreCommand } from "../core/runtime.ts";
import { actorOf, pageOf, type Identify } from "./approving.ts";
import { parse } from "./parse.ts";

interface DecidingOptions {
  readonly engine: Engine;
  readonly journal: Pick<Journal, "isFull">;
  readonly identify?: Identify | undefined;
}

/** Checks a page's command and decides it; gives why it was refused. */
export function decideOne(options: DecidingOptions, raw: unknown, session: string): ErrorData | undefined {
  const { engine, journal } = options;
  const by = pageOf(session);
  let command: PageCommand | undefined;
  try {
    command = parse(PageCommandSchema, raw, "command/invalid");
    if (BEGINNING.has(command.type) && journal.isFull?.())
      throw new RuntimeError("journal/quota", { command: command.type });
  } catch (error) {
    const refused = encodeError(error);
    engine.refuse(by, command ?? { type: "unreadable", data: {} }, refused);
    return refused;
  }
  return engine.submit([attributed(options, command, session)], by)[0]?.[1];
}

/**
 * Commands that bring new work: a full storage takes none of them, so that what there is can still end. What pages
 * say whenever they are loaded is none of it.
 */
const BEGINNING: ReadonlySet<string> = new Set<PageCommand["type"]>([
  "task.create",
  "execution.start",
  "execution.retry",
  "message.publish",
  "mail.send",
]);

/** Commands of which the core has to know who gives them. */
const ATTRIBUTED: ReadonlySet<string> = new Set<PageCommand["type"]>([
  "approval.answer",
  "approval.delegate",
  "execution.start",
  "execution.retry",
  "schedule.set",
  "mail.send",
]);

function attributed({ engine, identify }: DecidingOptions, command: PageCommand, session: string): CoreCommand {
  if ("delivery" in command.data)
    return { ...command, data: { ...command.data, consumer: pageOf(session) } } as CoreCommand;
  if (!ATTRIBUTED.has(command.type)) return command;
  const actor = actorOf(engine, session);
  const least = identify && command.type === "approval.answer" && { least: "session" };
  return { ...command, data: { ...command.data, ...(actor && { actor }), ...least } } as CoreCommand; // those take one
}
