import { original } from "../../../mod.ts";

export const own = setTimeout;
export const originals = (): unknown[] => [
  original("time").setTimeout,
  original("socket").connect,
  original("fetch"),
];
