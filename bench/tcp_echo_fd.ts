import { spawnBench } from "./_child.ts";
import type { Load } from "./_echo_load.ts";
import { median } from "./_measure.ts";
import { report } from "./_report.ts";

const ROUNDS = 5;
const DURATION = 1_000;

/** The neighbours, where they are there. */
const NEIGHBOURS = ["go", "uvloop"] as const;
