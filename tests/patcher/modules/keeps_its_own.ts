import { setTimeout as pause } from "node:timers/promises";
import { fetch } from "./own_fetch.ts";

function setTimeout(): string {
  return "its own";
}

const local = (): string => {
  const clearTimeout = (): string => "local";
  return clearTimeout();
};

export const result: unknown[] = [setTimeout(), fetch(), local(), typeof pause];
export const platforms = clearTimeout;
