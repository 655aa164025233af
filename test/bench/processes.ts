/** What processes take of the machine. */
import { readFileSync } from 'node:fs';
import type { House } from './consensus/tutti-house.js';

/** Seconds of processor time of a process so far (proc(5), stat: utime and stime, in hundredths of a second). */
export function processorSOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Likewise, of all nodes. */
export const processorS = ({ members }: House): number => members.reduce((sum, { pid }) => sum + processorSOf(pid), 0);

/** Resident memory (proc(5), VmRSS). MB. */
export const residentMb = (pid: number): number =>
  (Number(/^VmRSS:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024) / 1e6;
