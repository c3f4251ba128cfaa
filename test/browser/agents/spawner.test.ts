import { expect } from "chai";
import { spawnCell, type Cell, type SpawnOptions } from "../../../src/client/spawner.ts";
import { encodeError, RuntimeError } from "../../../src/core/errors.ts";
import { fakeHost } from "../../fixtures/agents/host.ts";
import { honest, MISDESCRIBED, SILENT, UNSTARTABLE } from "../../fixtures/agents/hostile.ts";

const cellURL = new URL("../../../src/cell/cell.html", import.meta.url).href;
const scriptURL = (text: string, type = "text/javascript"): string => URL.createObjectURL(new Blob([text], { type }));

describe("the spawner", () => {
  const cells: Cell[] = [];
  const spawn = async (script: string, more: Partial<SpawnOptions> = {}): Promise<Cell> => {
    const cell = await spawnCell({ url: scriptURL(script), cellURL, ...more });
    cells.push(cell);
    return cell;
  };
  const refusal = async (spawning: Promise<Cell>): Promise<RuntimeError> => {
    try {
      cells.push(await spawning);
    } catch (error) {
      expect(error).to.be.instanceOf(RuntimeError);
      return error as RuntimeError;
    }
    throw new Error("it was started");
  };
  afterEach(() => {
    for (const cell of cells.splice(0)) cell.kill();
    expect(document.querySelectorAll("iframe[title='Troupe cell']"), "frames left").to.have.length(0);
    expect("polluted" in {}).to.equal(false);
  });

  it("starts an isolated agent and connects it", async () => {
    const cell = await spawn(honest());
    expect(cell.description).to.deep.equal({ name: "raw", version: "1.0.0", capabilities: ["raw"] });
    const host = fakeHost(cell.serve());
    host.run("echo", 1);
    expect(await host.next("done")).to.include({ attempt: 1 });
    const another = fakeHost(cell.serve());
    another.run("echo", 2, { attempt: 2 });
    expect(await another.next("done")).to.include({ attempt: 2 });
  });

  it("gives an isolated agent no origin and no more than a worker", async () => {
    const cell = await spawn(
      honest(`description.description = JSON.stringify({ origin, page: typeof window, top: typeof parent });`),
    );
    expect(JSON.parse(cell.description.description ?? "")).to.deep.equal({
      origin: "null",
      page: "undefined",
      top: "undefined",
    });
  });

  it("starts before the page has a body", async () => {
    const { body } = document;
    body.remove();
    try {
      expect((await spawn(honest())).description.name).to.equal("raw");
    } finally {
      document.documentElement.append(body);
    }
  });

  describe("refuses code", () => {
    it("that is not there", async () => {
      const error = await refusal(spawnCell({ url: "/no/such/agent.js", cellURL }));
      expect(error.code).to.equal("agent/load-failed");
      expect(error.detail).to.include({ url: "/no/such/agent.js", status: 404 });
    });

    it("that is a page", async () => {
      const error = await refusal(spawn("<!doctype html>", { url: scriptURL("<!doctype html>", "text/html") }));
      expect(error.code).to.equal("agent/load-failed");
      expect(error.message).to.contain("text/html");
    });

    it("that no network reaches", async () => {
      const error = await refusal(spawnCell({ url: "http://127.0.0.1:1/agent.js", cellURL }));
      expect(error.code).to.equal("agent/load-failed");
      expect(error.detail["url"]).to.equal("http://127.0.0.1:1/agent.js");
    });

    for (const [behaviour, { script, says }] of Object.entries(UNSTARTABLE)) {
      it(`that ${behaviour}`, async () => {
        const url = scriptURL(script);
        const error = await refusal(spawnCell({ url, cellURL }));
        expect(error.code).to.be.oneOf(["agent/load-failed", "agent/message-invalid", "agent/flooded"]);
        expect(error.detail).to.include({ url });
        expect(error.message).to.match(says);
      });
    }

    it("that throws once it is ready, or tells of its crash: which comes first is the browser's", async () => {
      const url = scriptURL(honest('throw new Error("not so ready")'));
      const error = await spawnCell({ url, cellURL }).then(({ crashed }) => crashed, encodeError);
      expect(error.code).to.be.oneOf(["agent/load-failed", "agent/crashed"]);
      expect(error.message).to.contain("not so ready");
    });

    for (const [behaviour, script] of Object.entries(SILENT)) {
      it(`that ${behaviour}`, async () => {
        const error = await refusal(spawn(script, { timeout: 400 }));
        expect(error.code).to.equal("agent/load-failed");
        expect(error.message).to.contain("no answer");
      });
    }

    for (const [at, { field, script }] of MISDESCRIBED.entries()) {
      it(`that describes itself wrongly: ${field === "" ? "all" : field} (${at})`, async () => {
        const error = await refusal(spawn(script));
        expect(error.code).to.equal("agent/manifest-invalid");
        expect(error.detail["field"]).to.equal(field);
      });
    }
  });

  describe("refuses trusted code", () => {
    const trusted = true;
    it("that is not there, is a page, or comes from elsewhere", async () => {
      const missing = await refusal(spawnCell({ url: "/no/such/agent.js", trusted, cellURL }));
      expect(missing.code).to.equal("agent/load-failed");
      expect(missing.message).to.contain("404");
      const page = await refusal(spawnCell({ url: "/test/fixtures/agents/", trusted, cellURL }));
      expect(page.code).to.equal("agent/load-failed");
      const foreign = await refusal(
        spawnCell({ url: "http://127.0.0.1:1/agent.js", trusted, cellURL, timeout: 2_000 }),
      );
      expect(foreign.code).to.equal("agent/load-failed");
    });

    it("that throws, fails to parse, or never answers", async () => {
      expect((await refusal(spawn('throw new Error("no good")', { trusted }))).message).to.contain("no good");
      expect((await refusal(spawn("let x = ;", { trusted }))).message).to.match(/syntax error|SyntaxError/u);
      expect((await refusal(spawn("0", { trusted, timeout: 300 }))).message).to.contain("no answer");
    });

    it("whose hash is demanded, as no browser checks it", async () => {
      const error = await refusal(spawn(honest(), { trusted, integrity: "sha256-x" }));
      expect(error.code).to.equal("agent/integrity");
    });
  });

  describe("checks the bytes", () => {
    it("against the hash, and tells it", async () => {
      const text = honest("/* hashed */");
      const { integrity } = await spawn(text);
      expect(integrity).to.match(/^sha256-.{43}=$/u);
      expect((await spawn(text, { integrity })).integrity).to.equal(integrity);
      const other = honest("/* tampered */");
      const error = await refusal(spawn(other, { integrity }));
      expect(error.code).to.equal("agent/integrity");
      expect(error.detail).to.include({ expected: integrity });
    });

    it("once: a worker that comes again needs no network", async () => {
      const url = scriptURL(honest("/* kept */"));
      const first = await spawn("", { url });
      first.kill();
      URL.revokeObjectURL(url);
      expect((await spawn("", { url })).description.name).to.equal("raw");
      expect((await spawn("", { url, integrity: first.integrity })).description.name).to.equal("raw");
    });
  });

  describe("refuses a network", () => {
    for (const host of [
      "example.com",
      "https://example.com/path",
      "*",
      "https://a.b; script-src *",
      "https://a 'self'",
      "https:",
    ]) {
      it(`that is written ${host}`, async () => {
        const error = await refusal(spawn(honest(), { network: [host] }));
        expect(error.code).to.equal("agent/manifest-invalid");
        expect(error.detail).to.include({ field: "network", host });
      });
    }

    it("that is the page's own", async () => {
      const error = await refusal(spawn(honest(), { network: [location.origin] }));
      expect(error.code).to.equal("agent/manifest-invalid");
    });
  });

  it("names a cell that is none", async () => {
    const error = await refusal(spawn(honest(), { cellURL: "/no/cell.html" }));
    expect(error.code).to.equal("agent/load-failed");
    expect(error.message).to.contain("/no/cell.html");
  });

  describe("ends a worker", () => {
    it("at once when it is killed, even one that loops, and as often as it is told", async () => {
      const looping = await spawn(honest("take = () => { for (;;); };"));
      const neighbour = await spawn(honest("/* lives on */"));
      const stuck = fakeHost(looping.serve());
      stuck.run("loop");
      const host = fakeHost(neighbour.serve());
      host.run("echo");
      await host.next("done");
      looping.kill();
      looping.kill();
      expect(document.querySelectorAll("iframe[title='Troupe cell']")).to.have.length(1);
      host.run("echo", 2, { attempt: 2 });
      expect(await host.next("done")).to.include({ attempt: 2 });
      const silence = await Promise.race([looping.crashed, Promise.resolve("silent")]);
      expect(silence).to.equal("silent");
      expect(looping.serve()).to.be.instanceOf(MessagePort);
    });

    /** A while after the worker has described itself, whenever a slow engine comes to that. */
    const described = (act: string): string =>
      `const first = describe; describe = (id) => { first(id); setTimeout(() => { ${act}; }, 50); };`;
    const crashes: Record<string, { readonly script: string; readonly says: RegExp }> = {
      "throws later": { script: 'setTimeout(() => { throw new Error("later") }, 50)', says: /later/u },
      "says so": { script: described('page.postMessage({ type: "CRASH", error: null })'), says: /null/u },
      "floods its control port": {
        script: described("for (let at = 0; at < 1000; at++) page.postMessage(at)"),
        says: /flood/u,
      },
      "answers a call with a proxy": {
        script:
          'serve = (id) => { const { port1 } = new MessageChannel(); page.postMessage({ id, type: "HANDLER", name: "proxy", value: port1 }, [port1]); };',
        says: /no plain value/u,
      },
    };
    for (const [behaviour, { script, says }] of Object.entries(crashes)) {
      it(`that ${behaviour}, and tells`, async () => {
        const cell = await spawn(honest(script));
        cell.serve();
        const error = await cell.crashed;
        expect(error.message).to.match(says);
        expect(error.detail?.["url"]).to.be.a("string");
        expect(document.querySelectorAll("iframe[title='Troupe cell']")).to.have.length(0);
      });
    }

    it("whose frame is taken away or loaded anew, and tells", async () => {
      const [first, second] = [await spawn(honest()), await spawn(honest("/* second */"))];
      const [a, b] = document.querySelectorAll<HTMLIFrameElement>("iframe[title='Troupe cell']");
      a?.remove();
      expect((await first.crashed).message).to.contain("taken out");
      if (b) b.src = "about:blank";
      expect((await second.crashed).message).to.contain("anew");
    });
  });
});
