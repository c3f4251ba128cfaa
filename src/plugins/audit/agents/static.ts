import { exposeAgent } from "../../../workers/agent.ts";
import { staticAgent } from "../static.ts";

exposeAgent(staticAgent);
