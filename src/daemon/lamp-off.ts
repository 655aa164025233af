/**
 * `tutti lamp-off`: switches the lamps of a node off that ended without doing so, since it was killed. A Raspberry Pi keeps the level of a line
 * that nobody has any more. For ExecStopPost of the unit.
 */
import type { Config } from '../config/config.js';
import { SwitchedLamp } from '../io/gpio/switched-lamp.js';
import { createLog } from '../io/log/pino-log.js';
import { SystemTime } from '../io/time/system-time.js';
import { hardwareOf } from './controls.js';

/** Gives how many there are. @throws TuttiError NOT_FOUND where one cannot be had: a node that runs has them itself */
export async function switchLampsOff(config: Config): Promise<number> {
  const time = new SystemTime();
  const log = createLog({ time, stream: process.stderr }, { level: 'warn', pretty: false });
  const { leaderLamp, statusLamp, calls } = hardwareOf({ time, log }, config);
  const leader = leaderLamp && new SwitchedLamp({ wire: leaderLamp, calls, log });
  const lamps = [leader, statusLamp].filter((lamp) => lamp !== undefined);
  for (const lamp of lamps) {
    try {
      // A lamp is dark when it was taken.
      await lamp.start();
    } finally {
      await lamp.stop();
    }
  }
  return lamps.length;
}
