/** Comes first in its bundle. */
import { countAs } from "./counters.ts";

countAs("worker");
