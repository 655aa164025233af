/**
 * Whether somebody has a file open for writing: what size, times and header of a file cannot tell, since Samba and others give it its whole
 * length before its bytes, and any copy may pause.
 *
 * Linux tells it whoever asks for a lease. It refuses one for reading with EAGAIN for as long as the file is open for writing anywhere on
 * this machine, by whatever process and under whatever name. The lease is given back at once; who opens the file in that instant waits for a
 * few microseconds.
 *
 * Three things stay unknown, and whoever asks has to wait for longer: files of other users, unless the process has the capability CAP_LEASE;
 * all files where libc cannot be called; and files of network file systems, which other machines write to and which refuse leases for reasons
 * of their own.
 *
 * Further reading: fcntl(2), "Leases".
 */
import type { Libc } from '../libc/libc.js';

/** some: at least one. none: nobody. unknown: this process cannot be told. */
export type OpenWriters = 'some' | 'none' | 'unknown';

/** Looks at the file of a descriptor that was opened for reading only. */
export type LookForWriters = (descriptor: number) => OpenWriters;

/** From fcntl.h and signal.h, of every machine that Node runs on under Linux. */
const F_SETSIG = 10;
const F_SETLEASE = 1024;
const F_RDLCK = 0;
const F_UNLCK = 2;
const SIGURG = 23;
const EAGAIN = 11;

/** How this process looks for writers. Without libc all is unknown. */
export function lookForWritersBy(libc: Libc | undefined): LookForWriters {
  if (libc === undefined) return () => 'unknown';
  const fcntl = libc.bind('int fcntl(int fd, int command, int argument)');
  return (descriptor) => {
    // Whoever opens the file while we have the lease makes the kernel send us SIGIO, which ends a process. SIGURG does nothing.
    if (fcntl(descriptor, F_SETSIG, SIGURG) !== 0) return 'unknown';
    if (fcntl(descriptor, F_SETLEASE, F_RDLCK) !== 0) return libc.errno() === EAGAIN ? 'some' : 'unknown';
    fcntl(descriptor, F_SETLEASE, F_UNLCK);
    return 'none';
  };
}
