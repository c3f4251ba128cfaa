/** Secrets with a real vault: in every kind of host the agent gets the value, and no storage, page or event has it. */
import { expect } from "chai";
import type { Mode, Runtime } from "../../../src/client/runtime.ts";
import { AGENT, connectHere, deleteJournal, newName, rejection } from "../../fixtures/host/page.ts";

const CANARY = 'cañary-"quoted"-8461-never-to-be-seen';
const MARK = "[secret api]";
const url = (file: string): URL => new URL(`../../../src/workers/${file}.ts`, import.meta.url);
const places = {
  shared: (name: string) => new SharedWorker(url("shared-worker"), { type: "module", name: `troupe:1:${name}` }),
  elected: (name: string) => new Worker(url("elected-worker"), { type: "module", name: `troupe:1:${name}` }),
};

/** Every value of every store, as text: what is a text already, and bytes as the texts that they may be. */
async function dump(database: string): Promise<unknown[]> {
  const wait = <T>(request: IDBRequest<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => {
        resolve(request.result);
      };
      request.onerror = () => {
        reject(new Error(String(request.error)));
      };
    });
  const db = await wait(indexedDB.open(database));
  try {
    const stores = [...db.objectStoreNames].map((name) => db.transaction(name).objectStore(name));
    const all = await Promise.all(
      stores.flatMap((store): Promise<readonly unknown[]>[] => [wait(store.getAll()), wait(store.getAllKeys())]),
    );
    return all.flat();
  } finally {
    db.close();
  }
}

function textsOf(value: unknown): string[] {
  if (value instanceof ArrayBuffer) return textsOf(new Uint8Array(value));
  if (value instanceof Uint8Array)
    return ["utf-8", "utf-16le"].map((encoding) => new TextDecoder(encoding).decode(value));
  if (typeof value === "object" && value !== null)
    return Object.entries(value).flatMap(([key, part]) => [key, ...textsOf(part)]);
  return [String(value)];
}

function expectClean(texts: readonly string[]): void {
  for (const text of texts) {
    expect(text.includes("never-to-be-seen"), text.slice(0, 300)).to.equal(false);
    expect(text.includes("cañary"), text.slice(0, 300)).to.equal(false);
  }
}

describe("secrets", () => {
  let name = "";
  const open: Runtime[] = [];
  const connect = async (mode: Mode): Promise<Runtime> => {
    const runtime = await connectHere({ name, modes: [mode], ...(mode !== "page" && { places }) });
    open.push(runtime);
    return runtime;
  };
  const closeAll = async (): Promise<void> => {
    await Promise.all(open.splice(0).map((runtime) => runtime.close()));
  };
  beforeEach(() => {
    name = newName("secrets");
  });
  afterEach(async () => {
    await closeAll();
    await deleteJournal(name);
  });

  for (const mode of ["shared", "elected", "page"] as const)
    it(`reach agents and nobody else, with a host of the kind "${mode}"`, async () => {
      let runtime = await connect(mode);
      const told: string[] = [];
      runtime.on("event", (event) => told.push(JSON.stringify(event)));
      runtime.on("log", (line) => told.push(JSON.stringify(line)));
      await runtime.registerAgent({ url: AGENT, secrets: ["api"] });
      await runtime.secrets.set("api", CANARY);
      runtime.registerWorkflow({
        id: "call",
        nodes: [{ id: "ask", type: "task", capabilities: ["work"], input: "{'do': 'measure', 'value': secrets.api}" }],
      });
      const run = runtime.startWorkflow("call");
      expect(await runtime.result(run)).to.deep.equal({ length: CANARY.length, value: MARK });
      for await (const { value } of runtime.logs(`${run}/ask`)) told.push(JSON.stringify(value));
      expect((await runtime.archive.task(`${run}/ask`))?.input).to.deep.equal({ do: "measure", value: MARK });
      expect(told.some((text) => text.includes(`it is ${MARK}`))).to.equal(true);
      expectClean(told);
      expect(await runtime.secrets.list()).to.deep.equal(["api"]);
      await closeAll();
      const kept = await dump(`troupe-secrets:${name}`);
      const keys = kept.filter((one) => one instanceof CryptoKey);
      expect(keys.map(({ extractable }) => extractable)).to.deep.equal(
        mode === "shared" && keys.length === 0 ? [] : [false],
      );
      expectClean([
        ...textsOf(kept),
        ...textsOf(await dump(`troupe:${name}`)),
        JSON.stringify(Object.entries(localStorage)),
      ]);

      runtime = await connect(mode); // another host, which finds the same key
      await runtime.registerAgent({ url: AGENT, secrets: ["api"] });
      const again = runtime.createTask({
        capabilities: ["work"],
        input: { do: "measure", value: null },
        secrets: [{ name: "api", at: ["value"] }],
      });
      expect(await runtime.result(again)).to.deep.equal({ length: CANARY.length, value: MARK });
      await runtime.secrets.delete("api");
      expect((await rejection(runtime.secrets.delete("api"))).code).to.equal("secret/unknown");
      expect((await rejection(runtime.secrets.set("api", "short"))).code).to.equal("secret/invalid");
      const missed = runtime.startWorkflow("call");
      expect((await rejection(runtime.result(missed))).code).to.equal("secret/unknown");
    }).timeout(60_000);
});
