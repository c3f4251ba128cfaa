/** Every door, and how many of a thousand inputs it gets: what takes long for each gets fewer. */
import type { Door } from "../door.ts";
import { agents } from "./agents.ts";
import { approvals } from "./approvals.ts";
import { archives } from "./archives.ts";
import { definitions } from "./definitions.ts";
import { handle } from "./handle.ts";
import { host } from "./host.ts";
import { expressions } from "./expressions.ts";
import { logs } from "./logs.ts";
import { records } from "./records.ts";
import { rows } from "./rows.ts";
import { texts, times } from "./texts.ts";
import { commands, frames, queries } from "./pages.ts";

export interface Share {
  readonly door: Door;
  readonly part: number;
}

export const DOORS: readonly Share[] = [
  { door: commands, part: 50 },
  { door: queries, part: 25 },
  { door: frames, part: 30 },
  { door: agents, part: 30 },
  { door: definitions, part: 6 },
  { door: approvals, part: 8 },
  { door: records, part: 10 },
  { door: rows, part: 10 },
  { door: archives, part: 10 },
  { door: handle, part: 6 },
  { door: host, part: 5 },
  { door: times, part: 10 },
  { door: logs, part: 80 },
  { door: texts, part: 300 },
  { door: expressions, part: 420 },
];
