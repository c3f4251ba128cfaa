/** A page that has the journals as a global, for suites over real browsers. */
import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { startServer, type StaticServer } from "../harness/servers.ts";

/** What the page's script gives. */
export interface JournalPage {
  /** Opens the journal of that name, and resolves to its head. */
  open(name: string): Promise<number>;
  /** Appends batches of so many incompressible characters; resolves to the head, or to the code of the error. */
  append(count: number, size: number): Promise<number | string>;
  /** Reads everything, and resolves to the last number. */
  read(): Promise<number>;
  /** The bytes of the reserve. */
  ballast(): Promise<number>;
  /** What `onLost` said. */
  readonly reasons: string[];
}

const script = `
  import { createIndexedDbJournal } from "./src/plugins/journals/index.ts";
  let journal, head = 0, name;
  const reasons = [];
  const noise = (size) => {
    let text = "";
    while (text.length < size) text += Math.random().toString(36).slice(2);
    return JSON.stringify([text]);
  };
  globalThis.journals = {
    reasons,
    open: async (wanted) => {
      name = wanted;
      journal = createIndexedDbJournal({ name });
      journal.onLost((reason) => reasons.push(reason));
      return (head = (await journal.open()).head);
    },
    append: async (count, size) => {
      try {
        for (; count > 0; count--) {
          const archive = [{ kind: "task", id: "t" + (head + 1), at: 0, text: "{}" }];
          await journal.append(head, { from: head + 1, to: head + 1, at: 0, text: noise(size), archive });
          head += 1;
        }
        return head;
      } catch (error) {
        return error.code ?? String(error);
      }
    },
    read: async () => {
      let last = 0;
      for await (const { from, to } of journal.read(0)) {
        if (from !== last + 1 || !(await journal.archived("t" + to))) throw new Error("not whole at " + to);
        last = to;
      }
      return last;
    },
    ballast: () =>
      new Promise((resolve, reject) => {
        const request = indexedDB.open("troupe:" + name);
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
          const all = request.result.transaction("ballast").objectStore("ballast").getAll();
          all.onsuccess = () => {
            request.result.close();
            resolve(all.result.reduce((sum, bytes) => sum + bytes.length, 0));
          };
        };
      }),
  };
`;

/** Serves the page at "/", and at "/clear" an answer that clears the site's data. */
export async function serveJournals(): Promise<StaticServer> {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const stdin = { contents: script, resolveDir: root, loader: "js" } as const;
  const { outputFiles } = await build({ stdin, bundle: true, format: "esm", write: false, logLevel: "error" });
  return startServer({
    routes: {
      "/": `<!doctype html><title>journals</title><script type="module" src="/journals.js"></script>`,
      "/journals.js": outputFiles[0]?.text ?? "",
      "/clear": (_, response) => {
        response.setHeader("clear-site-data", '"storage"');
        return "cleared";
      },
    },
  });
}
