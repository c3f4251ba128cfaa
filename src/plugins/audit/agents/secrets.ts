import { exposeAgent } from "../../../workers/agent.ts";
import { secretsAgent } from "../secrets.ts";

exposeAgent(secretsAgent);
