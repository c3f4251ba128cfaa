import { exposeAgent } from "../../../workers/agent.ts";
import { unpackAgent } from "../unpack.ts";

exposeAgent(unpackAgent);
