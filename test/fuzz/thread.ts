/** A door on a thread of its own: its time stands still unless it is moved, and if it hangs the thread can be ended. */
import { parentPort, workerData } from "node:worker_threads";
import { DOORS } from "./doors/index.ts";
import { playDoor, playRecorded, type Report, type Totals } from "./play.ts";
import { decodeTape, playTape, recordTape, seedOf } from "./tape.ts";
import { installTime } from "./virtual-time.ts";

export interface Order {
  readonly door: string;
  readonly seed: number;
  readonly inputs: number;
  /** Only this. */
  readonly tape?: string;
  readonly episode?: number;
}

const { door: name, seed, inputs, tape, episode, pulse } = workerData as Order & { readonly pulse: Int32Array };
const share = DOORS.find(({ door }) => door.name === name);
if (!share) throw new Error(`no door ${name}`);
const { door } = share;
installTime();
if (tape !== undefined) tellOne(await playRecorded(door, playTape(decodeTape(tape))));
else if (episode !== undefined) tellOne(await playRecorded(door, recordTape(seedOf(seed, name, episode))));
else {
  const onEpisode = (number: number, count: number): void => {
    Atomics.store(pulse, 1, number);
    Atomics.store(pulse, 2, count);
    Atomics.add(pulse, 0, 1);
  };
  tell(await playDoor(door, { seed, inputs, onEpisode }));
}

function tellOne(report: Report | undefined): void {
  const reports = report ? [report] : [];
  tell({ door: name, inputs: 1, episodes: 1, milliseconds: 0, slowest: 0, outcomes: {}, reports });
}

function tell(totals: Totals): void {
  parentPort?.postMessage(totals);
}
