/** What every ServiceNotify keeps. */
import type { Test } from 'tap';
import type { ServiceNotify } from '../../src/ports/service-notify.js';
import { type Pass, until } from './support.js';

export interface ServiceNotifySetup {
  readonly notify: ServiceNotify;
  /** What the service manager was told so far. */
  told(): readonly string[];
  readonly pass: Pass;
  close(): void | Promise<void>;
}

export const runServiceNotifyContract = (
  t: Test,
  name: string,
  setup: () => ServiceNotifySetup | Promise<ServiceNotifySetup>,
): Promise<unknown> =>
  t.test(`${name} keeps the contract of ServiceNotify`, async (t) => {
    await t.test('everything is told in order, in the words of sd_notify(3)', async (t) => {
      const { notify, told, pass, close } = await setup();
      notify.ready();
      notify.status('leader, 3/3 nodes, “Café” plays');
      notify.alive();
      notify.stopping();
      await until(() => told().length >= 4, pass, 'four messages');
      t.same(told(), ['READY=1', 'STATUS=leader, 3/3 nodes, “Café” plays', 'WATCHDOG=1', 'STOPPING=1']);
      await close();
    });

    await t.test('a status cannot smuggle in another assignment', async (t) => {
      const { notify, told, pass, close } = await setup();
      notify.status('song\nMAINPID=1\r\n\0end');
      await until(() => told().length >= 1, pass, 'a message');
      t.same(told(), ['STATUS=song MAINPID=1 end']);
      await close();
    });
  });
