/** An sshd on a port of this machine that lets the user of the tests in, and nobody else. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import { until } from './daemon.js';

/** Where Debian has it. It must be called by its whole path: it calls itself again. */
const SSHD = '/usr/sbin/sshd';
/** What its child without rights may see: made by the service elsewhere. */
const EMPTY_FOLDER = '/run/sshd';

export class LocalSshd {
  readonly port: number;
  /** For ssh, scp and sftp. */
  readonly options: readonly string[];

  private constructor(port: number, options: readonly string[]) {
    this.port = port;
    this.options = options;
  }

  /** False where it can be started, else why not. */
  static missing(): string | false {
    if (!existsSync(SSHD)) return 'sshd is not installed (apt-get install openssh-server)';
    return process.getuid?.() === 0 ? false : 'sshd is started by root only';
  }

  /** Ends with the test. `folder` is for its keys, and is the test's own. */
  static async start(t: Test, folder: string): Promise<LocalSshd> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    for (const name of ['host', 'user']) {
      const made = spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)]);
      if (made.status !== 0) throw new Error(String(made.stderr));
    }
    mkdirSync(EMPTY_FOLDER, { recursive: true });
    const config = [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${join(folder, 'host')}`,
      `AuthorizedKeysFile ${join(folder, 'user.pub')}`,
      'StrictModes no',
      'PermitRootLogin yes',
      'PasswordAuthentication no',
      'UsePAM no',
      'PidFile none',
      'Subsystem sftp internal-sftp',
    ];
    writeFileSync(join(folder, 'sshd_config'), `${config.join('\n')}\n`);
    chmodSync(join(folder, 'host'), 0o600);
    const sshd = spawn(SSHD, ['-D', '-e', '-f', join(folder, 'sshd_config')], { stdio: 'ignore' });
    t.teardown(() => sshd.kill());
    await until('sshd listens', async () => {
      const socket = connect(port, '127.0.0.1');
      const isThere = await once(socket, 'connect').then(
        () => true,
        () => false,
      );
      socket.destroy();
      return isThere;
    });
    const known = ['UserKnownHostsFile=/dev/null', 'StrictHostKeyChecking=no', 'LogLevel=ERROR', 'BatchMode=yes'];
    return new LocalSshd(port, ['-i', join(folder, 'user'), ...known.flatMap((option) => ['-o', option])]);
  }
}
