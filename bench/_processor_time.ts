// Has a program print how many microseconds of processor time it has used, whenever it gets a SIGUSR2.
import process from "node:process";

Deno.addSignalListener("SIGUSR2", () => {
  const { user, system } = process.cpuUsage();
  console.log(user + system);
});
