/**
 * What keeps the player's thread on time on a busy machine: real-time priority, and memory that stays in memory.
 *
 * A thread under SCHED_FIFO runs before every ordinary one, so it wakes when its card needs it, whatever else computes. Only the
 * calling thread is raised: a process id of 0 names it alone on Linux. The helper threads of V8 and libuv were there before and stay
 * ordinary; SCHED_RESET_ON_FORK makes ordinary what the thread starts later. A thread that spins cannot take the machine with it: the
 * kernel leaves 5 % to the others (sched_rt_runtime_us).
 *
 * Rings and buffers are locked one by one. mlockall would have to hold all of Node's address space, which no limit allows.
 *
 * Both need leave: RLIMIT_RTPRIO and RLIMIT_MEMLOCK, or root. Where it is not given the sound goes on without, and the log says once
 * what would give it.
 *
 * Further reading: sched(7), mlock(2), getrlimit(2).
 */
import type { Log } from '../../ports/log.js';
import type { Libc } from './libc.js';

/** From linux/sched.h. */
const SCHED_FIFO = 1;
const SCHED_RESET_ON_FORK = 0x4000_0000;
/**
 * Above ordinary programs, and below the kernel's own interrupt threads (50), which bring the card its data.
 * Any number from 1 on would do against ordinary ones.
 */
const PRIORITY = 15;

/** From errno-base.h: what refusals mean. */
const REFUSALS: Readonly<Record<number, string>> = {
  1: 'not permitted',
  11: 'the limit of locked memory is reached',
  12: 'the limit of locked memory is reached',
  38: 'this system has no such call',
};

/** The C library, undefined where it cannot be called, and where refusals are told. */
export interface RealtimeComponents {
  readonly libc: Libc | undefined;
  readonly log: Log;
}

/** Gives the calling thread real-time priority. True where the system granted it; a refusal is logged. */
export function raiseThisThread({ libc, log }: RealtimeComponents): boolean {
  const advice = 'LimitRTPRIO=50 in the systemd unit, or rtprio for this user in /etc/security/limits.conf, allows it';
  const refused = (why: string) => {
    log.warn('The player runs without real-time priority: a busy machine may be heard.', { why, advice });
    return false;
  };
  if (libc === undefined) return refused('libc cannot be called');
  const setScheduler = libc.bind('int sched_setscheduler(int pid, int policy, const void *param)');
  // struct sched_param is one int.
  const result = setScheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, Int32Array.of(PRIORITY));
  if (result === 0) return true;
  return refused(refusalText(libc.errno()));
}

/** Keeps memory from being paged out. What is locked stays so until it is freed. */
export class MemoryLock {
  readonly #libc: Libc | undefined;
  readonly #log: Log;
  readonly #mlock: ((address: Uint8Array, length: number) => number) | undefined;
  /** What was handed in, and whether it is locked: what was refused once is not asked for again. */
  readonly #known = new WeakMap<ArrayBufferLike, boolean>();
  #wasRefused = false;

  constructor({ libc, log }: RealtimeComponents) {
    this.#libc = libc;
    this.#log = log;
    this.#mlock = libc?.bind('int mlock(const void *address, size_t length)');
  }

  /** Locks `memory`, the first time it is handed in. True where it is locked; the first refusal of all is logged. */
  lock(memory: ArrayBufferLike): boolean {
    const known = this.#known.get(memory);
    if (known !== undefined) return known;
    const isLocked = this.#tryToLock(memory);
    this.#known.set(memory, isLocked);
    return isLocked;
  }

  #tryToLock(memory: ArrayBufferLike): boolean {
    if (this.#mlock === undefined || memory.byteLength === 0) return false;
    return this.#mlock(new Uint8Array(memory), memory.byteLength) === 0 || this.#refused(memory.byteLength);
  }

  #refused(bytes: number): false {
    if (!this.#wasRefused) {
      this.#log.warn('Sound cannot be kept from being paged out: a machine short of memory may be heard.', {
        why: refusalText(this.#libc!.errno()),
        bytes,
        advice:
          'LimitMEMLOCK=64M in the systemd unit, or memlock for this user in /etc/security/limits.conf, allows it',
      });
    }
    this.#wasRefused = true;
    return false;
  }
}

const refusalText = (errno: number): string => REFUSALS[errno] ?? `errno ${errno}`;
