import { exposeAgent } from "../../../workers/agent.ts";
import { javascriptAgent } from "../index.ts";

exposeAgent(javascriptAgent);
