import { scheduler, setInterval as repeatedly, setTimeout as later } from "node:timers/promises";
import * as timers from "node:timers";
import net, { Socket } from "node:net";
import { promisify } from "node:util";

export const byTimers = () => new Promise((resolve) => timers.setTimeout(resolve, 3_600_000));
export const byPromises = () => later(3_600_000, "value");
export const byScheduler = () => scheduler.wait(3_600_000);
export const byPromisify = () => promisify(setTimeout)(3_600_000, "value");
export const byInterval = async () => {
  const times = [];
  for await (const value of repeatedly(1_800_000, "tick")) {
    times.push(value);
    if (times.length === 2) return times;
  }
};
export const aborted = (signal) => later(3_600_000, undefined, { signal });
export const wrong = (options) => later(1, undefined, options);

/** A connection that is made as `pg` makes it. */
export const connect = (port) => {
  const socket = new Socket();
  socket.connect(port, "127.0.0.1");
  return new Promise((resolve, reject) => {
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
};

/** A class of sockets in the manner of old, and one in the manner of today. */
function OldSocket() {
  net.Socket.call(this);
}
Object.setPrototypeOf(OldSocket.prototype, net.Socket.prototype);
class NewSocket extends net.Socket {}
export const classes = () =>
  [new OldSocket(), new NewSocket(), new Socket()].map((socket) => {
    socket.destroy();
    return socket instanceof net.Socket && socket instanceof Socket;
  });
export const never = (socket) =>
  new Promise((_, reject) => socket.once("close", () => reject(new Error("closed"))));
