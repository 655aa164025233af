/** The lines of the machine's GPIO chip, as files: a test pulls by them and reads from them what a person presses and sees. */

/** Where the leader's lamp hangs. */
export const LEADER_LED = 26;

/** A file of a line: `pull` presses a button (pull-down) and lets it go (pull-up), `value` is 1 for a lamp that is lit. */
export const lineFile = (line: number, file: 'pull' | 'value'): string =>
  `/sys/devices/platform/gpio-sim.0/gpiochip0/sim_gpio${line}/${file}`;
