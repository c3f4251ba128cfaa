/**
 * The demo without its server: a copy of every file that the page and its workers need.
 *   R1  While the server answers, its version is what a visit gets.
 *   R2  A copy is whole, and each file is what the build's list says; or there is none.
 *   R3  A page that runs keeps the copy it began with, and no copy outlives the pages that use it but the newest.
 *   R4  Answers are kept with their headers, so the policies of the page and of the cell stand here too.
 */
export {};

declare const self: ServiceWorkerGlobalScope;

/** What the build has made: `version` is of all files and headers together, each file has its SHA-256. */
interface Manifest {
  readonly version: string;
  readonly files: Readonly<Record<string, string>>;
}

const LIST = "offline.json";
const COPY = "audit copy ";
/** The longest that a visit waits for the server's word, in milliseconds. */
const PATIENCE = 5_000;
/** A browser that has lost a page's process may leave a question about it open for ever: then the server is asked. */
const LONGEST = 10_000;
const CLIENT_PATIENCE = 1_000;

const { scope } = self.registration;
const urlOf = (file: string): string => new URL(file === "index.html" ? "./" : file, scope).href;
const HOME = urlOf("index.html");

self.addEventListener("install", (event) => {
  event.waitUntil(Promise.all([current(), self.skipWaiting()]));
});

self.addEventListener("message", (event) => {
  const { source, ports } = event;
  if (source instanceof Client) event.waitUntil(welcome(source.id).then((ready) => ports[0]?.postMessage(ready)));
});

self.addEventListener("fetch", (event) => {
  const { method, url, destination } = event.request;
  if (method !== "GET" || !url.startsWith(scope)) return;
  const { origin, pathname } = new URL(url);
  const isVisit = destination === "document" && [HOME, `${HOME}index.html`].includes(origin + pathname);
  const answer = isVisit ? visit(event) : asset(event);
  event.respondWith(within(LONGEST, answer, () => fromServer(event.request)));
});

/** The promise's outcome, or after so many milliseconds the other one's. */
async function within<T>(milliseconds: number, promise: Promise<T>, otherwise: () => T | Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => {
      resolve(otherwise());
    }, milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Takes on the page that asks, and tells whether it would come up without the server. */
async function welcome(client: string): Promise<boolean> {
  const copy = await current().catch(() => undefined); // no server now: an older copy does as well
  if (copy && !(await boundCopy(client))) await copy.put(bindingOf(client), new Response()); // its first visit
  await self.clients.claim();
  await discard();
  return (await newest()) !== undefined;
}

/** The page itself: as the server has it, with the copy of just that version for whatever follows (R1, R3). */
async function visit({ request, resultingClientId }: FetchEvent): Promise<Response> {
  const version = await serverVersion();
  const copy = version ? await copyOf(version).catch(() => undefined) : await newest();
  const page = await copy?.match(HOME);
  if (!copy || !page) return fromServer(request); // its files don't match its list: another program's, or half built
  await copy.put(bindingOf(resultingClientId), new Response());
  return page;
}

/** Whatever a page asks for: from its copy. A page without one came from the server, so the server is asked first. */
async function asset({ request, clientId }: FetchEvent): Promise<Response> {
  const isUntold = ["iframe", "sharedworker"].includes(request.destination); // these come without the page's name
  const copy = await (isUntold ? usedCopy() : boundCopy(clientId));
  const kept = await copy?.match(request, { ignoreSearch: true });
  return kept ?? fromServer(request);
}

async function fromServer(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    const answer = await (await newest())?.match(request, { ignoreSearch: true });
    if (answer) return answer;
    throw error;
  }
}

/** The list of the server; undefined when it doesn't answer. */
async function serverVersion(): Promise<Response | undefined> {
  return fetch(urlOf(LIST), { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) }).catch(() => undefined);
}

async function current(): Promise<Cache> {
  const version = await serverVersion();
  if (!version) throw new TypeError("the server doesn't answer");
  return copyOf(version);
}

let filling: Promise<unknown> = Promise.resolve();

/** The copy of the version that a list names: the newest, or one that is made now; one at a time. */
async function copyOf(list: Response): Promise<Cache> {
  const text = await list.text();
  const made = filling.then(async () => {
    const copy = await newest();
    return copy && (await (await copy.match(urlOf(LIST)))?.text()) === text ? copy : fill(text);
  });
  filling = made.catch(() => undefined);
  return made;
}

async function fill(list: string): Promise<Cache> {
  const { version, files } = JSON.parse(list) as Manifest; // our own build's; anything else fails, and no harm is done
  const name = `${COPY}${version} ${crypto.randomUUID()}`;
  const copy = await caches.open(name);
  try {
    await Promise.all(Object.entries(files).map(([file, hash]) => take(copy, file, hash)));
    await copy.put(urlOf(LIST), new Response(list)); // last: it says that the copy is whole (R2)
    return copy;
  } catch (error) {
    await caches.delete(name);
    throw error;
  }
}

async function take(copy: Cache, file: string, hash: string): Promise<void> {
  const answer = await fetch(urlOf(file), { cache: "no-store" });
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await answer.clone().arrayBuffer()));
  const actual = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (!answer.ok || actual !== hash) throw new TypeError(`${file} is not the one of the list`);
  await copy.put(urlOf(file), answer); // with its headers (R4)
}

async function copyNames(): Promise<string[]> {
  return (await caches.keys()).filter((name) => name.startsWith(COPY)).reverse(); // they come in the order of their making
}

async function newest(): Promise<Cache | undefined> {
  for (const name of await copyNames()) {
    const copy = await caches.open(name);
    if (await copy.match(urlOf(LIST))) return copy;
  }
  return undefined;
}

const BINDING = urlOf("client/");
const bindingOf = (client: string): string => BINDING + client;

/** The copy that a page began with. It is written there, because this worker may be ended between two requests. */
async function boundCopy(client: string): Promise<Cache | undefined> {
  for (const name of await copyNames()) {
    const copy = await caches.open(name);
    if (await copy.match(bindingOf(client))) return copy;
  }
  return undefined;
}

/** The newest copy that a living page uses: with pages of one version, which is nearly always, that of the page that asks. */
async function usedCopy(): Promise<Cache | undefined> {
  for (const name of await copyNames()) {
    const copy = await caches.open(name);
    if ((await pagesOf(copy)).some(({ lives }) => lives)) return copy;
  }
  return undefined;
}

async function pagesOf(copy: Cache): Promise<{ readonly url: string; readonly lives: boolean }[]> {
  const bound = (await copy.keys()).map(({ url }) => url).filter((url) => url.startsWith(BINDING));
  return Promise.all(
    bound.map(async (url) => {
      const found = self.clients.get(url.slice(BINDING.length)).then(Boolean);
      return { url, lives: await within(CLIENT_PATIENCE, found, () => true) };
    }),
  );
}

/** Forgets the pages that are gone, and deletes the copies that none uses, but for the newest (R3). */
async function discard(): Promise<void> {
  for (const [age, name] of (await copyNames()).entries()) {
    const copy = await caches.open(name);
    const pages = await pagesOf(copy);
    for (const { url, lives } of pages) if (!lives) await copy.delete(url);
    if (age > 0 && !pages.some(({ lives }) => lives)) await caches.delete(name);
  }
}
