/** What processes take of the machine. */
import { readFileSync } from 'node:fs';
import type { House } from '../consensus/tutti-house.js';

/** Seconds of processor time of all nodes so far (proc(5), stat: utime and stime, in hundredths of a second). */
export function processorS({ members }: House): number {
  const of = (pid: number) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  };
  return members.reduce((sum, { pid }) => sum + of(pid), 0);
}

/** Resident memory (proc(5), VmRSS). MB. */
export const residentMb = (pid: number): number =>
  (Number(/^VmRSS:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024) / 1e6;
