/** One long run of everything, made of seeded chance and virtual time alone; a browser can make it too. */
import { digestOf } from "../../../src/core/json.ts";
import { saveState, type CoreCommand } from "../../../src/core/runtime.ts";
import { createChance } from "./chance.ts";
import { createDisk, type Disk } from "./disk.ts";
import { everything } from "./everything.ts";
import { createTime, openHost, type Host, type HostOptions } from "./kit.ts";
import { chaotic, createLife } from "./life.ts";
import { registerWorkflow, startExecution } from "./things.ts";

export const DETERMINISM_SEED = 4_711;

/** The digest of the run with {@link DETERMINISM_SEED}, on every runtime. It changes only when what is written does. */
export const DETERMINISM_DIGEST = "2ed08c0c118529a35000dfde2466758f";

/** What a host was told, and when. */
export interface Told {
  readonly host: number;
  readonly at: number;
  readonly commands: readonly CoreCommand[];
}

export interface Lived {
  readonly disk: Disk;
  readonly state: string;
  readonly told: readonly Told[];
}

/** Lives through `steps` draws with a restart after every 200. */
export async function live(seed: number, steps = 800): Promise<Lived> {
  const disk = createDisk();
  const chance = createChance(seed);
  const time = createTime();
  const told: Told[] = [];
  let count = 0;
  const open = async (): Promise<Host> => {
    const host = ++count;
    const onPush: HostOptions["onPush"] = (commands) => told.push({ host, at: time.now(), commands });
    const opened = await openHost({ disk, time, chance, behaviour: chaotic, snapshotEvery: 200, onPush });
    const begin = startExecution(`all${String(host)}`, "everything", { items: [1, 2, 3] });
    opened.push(...everything.map(registerWorkflow), begin);
    return opened;
  };
  const draw = createLife(chance, "", time.now, true);
  let host = await open();
  for (let step = 1; step <= steps; step++) {
    await host.advance(draw(host));
    if (step % 200 > 0) continue;
    host.kill();
    host = await open();
  }
  await host.finish(60_000);
  return { disk, state: saveState(host.engine.state), told };
}

/** The digest of every byte that was written, and of the state at the end. */
export function digestOfLife({ disk, state }: Lived): string {
  return digestOf(JSON.stringify(disk.history) + state);
}
