/** What is said of each kind of credential. */
import type { RuleInfo } from "../rule-info.ts";

const HELP =
  "Revoke the credential, then take it out of the code and its history, and read it from a secret store or the environment.";

const hardCoded = (title: string, severity: RuleInfo["severity"]): RuleInfo => ({
  title,
  severity,
  confidence: "high",
  help: HELP,
  cwe: "CWE-798",
});

/** By secretlint's names; whatever is not listed is a token of high severity. */
const KNOWN: Readonly<Record<string, RuleInfo>> = {
  PrivateKey: { ...hardCoded("Private key", "critical"), cwe: "CWE-321" },
  PrivateKeyJSON: { ...hardCoded("Google Cloud service account key", "critical"), cwe: "CWE-321" },
  PrivateKeyP12: { ...hardCoded("Google Cloud service account key (.p12)", "critical"), cwe: "CWE-321" },
  AWSSecretAccessKey: hardCoded("AWS secret access key", "critical"),
  AWSAccessKeyID: hardCoded("AWS access key id", "medium"),
  AWSAccountID: { ...hardCoded("AWS account id", "info"), cwe: "CWE-200" },
  BasicAuth: hardCoded("User and password in a URL", "medium"),
  PackageJSON_xOauthToken: hardCoded("GitHub OAuth token in a URL", "high"),
  Npmrc_authToken: hardCoded("npm authentication token", "high"),
  IncomingWebhook: hardCoded("Slack incoming webhook", "high"),
  MongoDBConnection: hardCoded("MongoDB connection string with a password", "high"),
  MySQLConnection: hardCoded("MySQL connection string with a password", "high"),
  PostgreSQLConnection: hardCoded("PostgreSQL connection string with a password", "high"),
  HASHICORP_VAULT_SERVICE_TOKEN: hardCoded("HashiCorp Vault service token", "critical"),
  HASHICORP_VAULT_BATCH_TOKEN: hardCoded("HashiCorp Vault batch token", "critical"),
  HASHICORP_VAULT_RECOVERY_TOKEN: hardCoded("HashiCorp Vault recovery token", "critical"),
  GITHUB_TOKEN: hardCoded("GitHub token", "high"),
  GITLAB_PERSONAL_ACCESS_TOKEN: hardCoded("GitLab personal access token", "high"),
  NPM_ACCESS_TOKEN: hardCoded("npm access token", "high"),
  SLACK_TOKEN: hardCoded("Slack token", "high"),
  OPENAI_TOKEN: hardCoded("OpenAI API key", "high"),
  ANTHROPIC_API_KEY: hardCoded("Anthropic API key", "high"),
};

export const TOO_MANY_SECRETS = "secrets/more-in-file";

/** `GRAFANA_CLOUD_API_TOKEN` → "Grafana cloud api token". */
const spelled = (name: string): string =>
  name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ").toLowerCase();

export function secretRule(name: string): RuleInfo {
  if (name === "more-in-file")
    return { title: "More credentials than are listed", severity: "high", confidence: "high", help: HELP };
  return (Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined) ?? hardCoded(spelled(name), "high");
}
