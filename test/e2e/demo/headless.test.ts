import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { zipSync } from "fflate";
import { after, describe, it } from "node:test";
import { eventually, killTree } from "../../harness/processes.ts";
import { ROOT } from "../../harness/servers.ts";
import { codeBase } from "./code-bases.ts";
import { skip } from "./demo.ts";

const temporary = mkdtempSync(join(tmpdir(), "troupe-headless-"));
const START = join(ROOT, "scripts/start/main.js");

interface Command {
  readonly pid: number | undefined;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

function audit(...args: string[]): Command {
  const child = spawn(process.execPath, [START, "--headless", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return {
    pid: child.pid,
    output: () => output,
    ended: new Promise((resolve) => {
      child.once("exit", (code) => {
        setImmediate(resolve, code);
      });
    }),
  };
}

function folder(name: string, files: ReadonlyMap<string, string>): string {
  const path = join(temporary, name);
  for (const [file, text] of files) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), text);
  }
  return path;
}

const read = (dir: string, name: string): string => readFileSync(join(dir, name), "utf8");
const REPORTS = ["report.html", "report.json", "report.sarif"];

describe("npm start -- --headless", { skip }, () => {
  after(() => {
    rmSync(temporary, { recursive: true, force: true });
  });

  it("finds a planted secret in a folder, masks it, and writes the same bytes twice", async () => {
    const secret = `ghp_${"aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF2hJ4".slice(0, 36)}`;
    const code = folder(
      "secret",
      new Map([
        ["config/deploy.js", `export const token = "${secret}";\n`],
        ["index.js", "export {};\n"],
      ]),
    );
    const outputs = [join(temporary, "one"), join(temporary, "two")];
    for (const dir of outputs) {
      const command = audit(code, "--report", dir, "--approve", "all");
      assert.equal(await command.ended, 0, command.output());
      assert.match(command.output(), /1 findings: .*1 high/u);
    }
    const [one = "", two = ""] = outputs;
    for (const name of REPORTS) assert.equal(read(one, name), read(two, name), name);
    assert.match(read(one, "report.json"), /config\/deploy\.js/u);
    for (const name of REPORTS) assert.ok(!read(one, name).includes(secret), `${name} shows the secret`);
  });

  it("dismisses every finding with --approve none", async () => {
    const code = folder("none", codeBase({ files: 2, lines: 2, faults: 1 }));
    const command = audit(code, "--report", join(temporary, "none-report"), "--approve", "none");
    assert.equal(await command.ended, 0, command.output());
    assert.match(command.output(), /0 accepted, [1-9]\d* dismissed/u);
  });

  it("exits with 2 and one reason for what it can't audit", async () => {
    const bomb = join(temporary, "bomb.zip");
    const names = Array.from({ length: 40 }, (_, at) => `data-${at}.txt`);
    const blank = new Uint8Array(4 * 1024 * 1024);
    writeFileSync(bomb, zipSync(Object.fromEntries(names.map((name) => [name, blank])), { level: 9 }));
    const garbage = join(temporary, "garbage.zip");
    writeFileSync(garbage, "no archive at all");
    const cases: readonly (readonly [string[], RegExp])[] = [
      [[join(temporary, "nowhere")], /nowhere: there is nothing by that name/u],
      [[START], /main\.js: not an archive/u],
      [[bomb], /bomb\.zip: .* zip bomb .*\(audit\/archive-too-large\)/u],
      [[garbage], /garbage\.zip: It cannot be read: .*\(audit\/archive-unreadable\)/u],
      [[garbage, "--approve", "some"], /--approve some: one of all, none/u],
    ];
    for (const [args, reason] of cases) {
      const command = audit(...args, "--report", join(temporary, "refused"));
      assert.equal(await command.ended, 2, command.output());
      assert.match(command.output(), reason);
    }
    assert.ok(!existsSync(join(temporary, "refused")));
  });

  it("goes on after kill -9, keeps what was done, and ends in the same report", async () => {
    const code = folder("killed", codeBase({ files: 250, lines: 150, faults: 1 }));
    const profile = join(temporary, "profile");
    const [killed, whole] = [join(temporary, "killed-report"), join(temporary, "whole-report")];
    const first = audit(code, "--report", killed, "--profile", profile);
    await eventually(
      "some checks",
      () => (/Static analysis: (?!0)\d+ of/u.test(first.output()) ? true : undefined),
      60_000,
    );
    killTree(first.pid);
    await first.ended;
    assert.ok(!existsSync(killed));
    const second = audit(code, "--report", killed, "--profile", profile);
    assert.equal(await second.ended, 0, second.output());
    const [, kept] =
      /Resumed run \S+: ([\d,]+) of 500 file checks were already done and are kept/u.exec(second.output()) ?? [];
    assert.ok(Number(kept) > 0, second.output());
    const third = audit(code, "--report", whole);
    assert.equal(await third.ended, 0, third.output());
    for (const name of REPORTS) assert.equal(read(killed, name), read(whole, name), name);
  });

  it("leaves no browser behind when it is interrupted, and says that it can go on", async () => {
    const code = folder("interrupted", codeBase({ files: 200, lines: 100 }));
    const profile = join(temporary, "interrupted-profile");
    const command = audit(code, "--report", join(temporary, "never"), "--profile", profile);
    await eventually("the beginning", () => (command.output().includes("Auditing") ? true : undefined), 60_000);
    process.kill(command.pid ?? 0, "SIGINT");
    assert.equal(await command.ended, 130, command.output());
    assert.match(command.output(), /The same command goes on where it was/u);
    assert.deepEqual(browsersOf(profile), []);
  });
});

/** Processes that have the folder on their command line. */
function browsersOf(profile: string): string[] {
  const ids = readdirSync("/proc").filter((name) => /^\d+$/u.test(name));
  return ids.filter((id) => commandLine(id).includes(profile));
}

function commandLine(id: string): string {
  try {
    return readFileSync(`/proc/${id}/cmdline`, "utf8");
  } catch {
    return ""; // it ended between the two looks
  }
}
