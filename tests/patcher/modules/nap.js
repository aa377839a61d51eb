import { cycle } from "./client.ts";

export const nap = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const inACycle = () => cycle();
