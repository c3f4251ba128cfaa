/** Plays the episodes of a door, and makes of whatever goes wrong a finding that can be played again. */
import { RuntimeError } from "../../src/core/errors.ts";
import { createLook, Finding, PATIENCE, type Door, type Watched } from "./door.ts";
import { shrink } from "./shrink.ts";
import { encodeTape, playTape, recordTape, seedOf, type Tape } from "./tape.ts";

/** A fault as it is reported. */
export interface Report {
  readonly door: string;
  readonly kind: string;
  readonly message: string;
  /** The inputs that show it, shrunk. */
  readonly inputs: readonly string[];
  /** What was drawn; undefined when it never came to an end, and there is only the number of its episode. */
  readonly tape: string | undefined;
  readonly episode?: number;
}

export interface Totals {
  readonly door: string;
  readonly inputs: number;
  readonly episodes: number;
  readonly milliseconds: number;
  readonly slowest: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly reports: readonly Report[];
}

export interface PlayOptions {
  readonly seed: number;
  readonly inputs: number;
  /** Milliseconds to make a finding smaller in. Default 20,000. */
  readonly shrinkFor?: number;
  /** Called before each episode, and often while a finding is made smaller. */
  readonly onEpisode?: (episode: number, inputs: number) => void;
}

/** After so many different faults, or so many in all, a door is left. */
const MAX_REPORTS = 8;
const MAX_FAULTS = 200;

export async function playDoor(
  door: Door,
  { seed, inputs, shrinkFor = 20_000, onEpisode }: PlayOptions,
): Promise<Totals> {
  const look = createLook();
  const reports = new Map<string, Report>();
  const started = performance.now();
  let slowest = 0;
  let faults = 0;
  let episode = 0;
  for (; look.inputs < inputs && reports.size < MAX_REPORTS && faults < MAX_FAULTS; episode++) {
    onEpisode?.(episode, look.inputs);
    const tape = recordTape(seedOf(seed, door.name, episode));
    const finding = await playEpisode(door, tape, look);
    slowest = Math.max(slowest, look.slowest);
    if (finding) faults++;
    if (!finding || reports.has(finding.kind)) continue;
    const at = episode;
    const beat = (): void => onEpisode?.(at, look.inputs);
    reports.set(finding.kind, await reportOf(door, tape, finding, { shrinkFor, beat }));
  }
  return {
    door: door.name,
    inputs: look.inputs,
    episodes: episode,
    milliseconds: performance.now() - started,
    slowest,
    outcomes: Object.fromEntries([...look.outcomes].sort(([, a], [, b]) => b - a)),
    reports: [...reports.values()],
  };
}

/** Plays one tape; gives what was found, with the inputs. */
export async function playRecorded(door: Door, tape: Tape): Promise<Report | undefined> {
  const look = createLook();
  const finding = await playEpisode(door, tape, look);
  return finding && asReport(door, tape.choices, finding, look);
}

async function reportOf(
  door: Door,
  tape: Tape,
  finding: Finding,
  { shrinkFor, beat }: { readonly shrinkFor: number; readonly beat: () => void },
): Promise<Report> {
  const end = performance.now() + shrinkFor;
  const look = createLook();
  const again = async (candidate: Tape): Promise<Finding | undefined> => {
    beat();
    const found = await playEpisode(door, candidate, look);
    return found?.kind === finding.kind ? found : undefined;
  };
  const shrunk = await shrink(tape, finding, again, () => performance.now() > end);
  const last = playTape(shrunk.choices);
  const shown = await again(last); // so that the inputs are those of the smallest one
  return asReport(door, shrunk.choices, shown ?? shrunk.finding, look);
}

function asReport(
  { name }: Door,
  choices: readonly number[],
  { kind, message, cause }: Finding,
  look: Watched,
): Report {
  const stack = cause instanceof Error ? `\n${cause.stack ?? ""}` : "";
  return { door: name, kind, message: message + stack, inputs: look.shown(), tape: encodeTape(choices) };
}

async function playEpisode(door: Door, tape: Tape, look: Watched): Promise<Finding | undefined> {
  const found = await playOnce(door, tape, look);
  if (found || look.slowest <= PATIENCE) return found;
  for (let again = 0; again < 2; again++) {
    await playOnce(door, playTape(tape.choices), look); // a busy machine is no finding: it has to be slow every time
    if (look.slowest <= PATIENCE) return undefined;
  }
  return new Finding("slow", `an input took ${String(Math.round(look.slowest))} ms`);
}

async function playOnce(door: Door, tape: Tape, look: Watched): Promise<Finding | undefined> {
  look.begin();
  let episode: Awaited<ReturnType<Door["open"]>> | undefined;
  try {
    episode = await door.open(tape, look);
    while (tape.go(door.length * 2)) {
      const turn = episode.turn();
      if (turn) await turn;
    }
    const closing = episode.close?.();
    if (closing) await closing;
    look.end();
  } catch (thrown) {
    return thrown instanceof Finding ? thrown : foreign(thrown);
  } finally {
    await episode?.drop?.();
  }
  return undefined;
}

/** What nobody expected to be thrown: told apart by where it was thrown. */
export function foreign(thrown: unknown): Finding {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const place = /\/(src\/[^)\s]+:\d+)/u.exec(error.stack ?? "")?.[1] ?? "";
  const what = error instanceof RuntimeError ? error.code : error.name;
  return new Finding(`thrown ${what} ${place}`, error.message, error);
}
