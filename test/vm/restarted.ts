/** Whether systemd has started another node in place of one that ended. */
import { PID } from './kitchen.js';

/** A script that ends with 0 once another process than `pid` is the node, and serves. */
export const isAnotherThan = (pid: string): string =>
  `new=$(${PID}); [ "$new" != 0 ] && [ "$new" != ${pid} ] && systemctl is-active -q tutti`;
