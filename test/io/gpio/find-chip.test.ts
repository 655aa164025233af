/** Trees of /sys as kernels of different Pis make them, as far as the chip of the header is looked for in them. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import t, { type Test } from 'tap';
import { findChip } from '../../../src/io/gpio/find-chip.js';

interface Chip {
  readonly name: string;
  /** Its parent, below /sys/devices. */
  readonly parent: string;
  readonly compatible?: string;
  /** Its entry in the old interface. */
  readonly base?: number;
  readonly label?: string;
}

function tree(t: Test, chips: readonly Chip[]): string {
  const sys = t.testdir();
  const put = (path: string, text: string) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  for (const { name, parent, compatible, base, label } of chips) {
    const folder = join(sys, 'devices', parent, name);
    mkdirSync(folder, { recursive: true });
    if (compatible !== undefined) put(join(folder, 'of_node/compatible'), `${compatible}\0`);
    if (base !== undefined) {
      const entry = join(sys, 'devices', parent, 'gpio', `gpiochip${base}`);
      put(join(entry, 'base'), `${base}\n`);
      put(join(entry, 'label'), `${label ?? ''}\n`);
    }
    const link = join(sys, 'bus/gpio/devices', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(relative(dirname(link), folder), link);
  }
  return sys;
}

const headerOf = (sys: string, labels: Readonly<Record<string, string>> = {}) =>
  findChip({ sys, labelOf: (device) => labels[device] ?? null }).header;

t.test('a Pi 4 before kernel 6.6: numbers begin at 0', (t) => {
  const sys = tree(t, [
    {
      name: 'gpiochip0',
      parent: 'platform/soc/fe200000.gpio',
      compatible: 'brcm,bcm2711-gpio',
      base: 0,
      label: 'pinctrl-bcm2711',
    },
    {
      name: 'gpiochip1',
      parent: 'platform/soc/firmware/gpio',
      compatible: 'raspberrypi,firmware-gpio',
      base: 504,
      label: 'raspberrypi-exp-gpio',
    },
  ]);
  t.strictSame(headerOf(sys), { name: 'gpiochip0', device: '/dev/gpiochip0', label: 'pinctrl-bcm2711', base: 0 });
  t.end();
});

t.test('a Pi 3 from kernel 6.6: numbers begin at 512', (t) => {
  const sys = tree(t, [
    {
      name: 'gpiochip0',
      parent: 'platform/soc/3f200000.gpio',
      compatible: 'brcm,bcm2835-gpio',
      base: 512,
      label: 'pinctrl-bcm2835',
    },
    {
      name: 'gpiochip1',
      parent: 'platform/soc/firmware/gpio',
      compatible: 'raspberrypi,firmware-gpio',
      base: 566,
      label: 'raspberrypi-exp-gpio',
    },
  ]);
  t.match(headerOf(sys), { name: 'gpiochip0', base: 512 });
  t.end();
});

t.test('a Pi 5, whose chip is neither the first nor the one with the least base', (t) => {
  const others = ['107d508500', '107d517c00', '107d508520', '107d517c20'].map((address, i) => ({
    name: `gpiochip${i === 0 ? 9 : 9 + i}`,
    parent: `platform/soc/${address}.gpio`,
    compatible: 'brcm,brcmstb-gpio',
    base: 512 + 17 * i,
    label: `gpio-brcmstb@${address}`,
  }));
  const rp1 = {
    name: 'gpiochip15',
    parent: 'platform/axi/1000120000.pcie/1f000d0000.gpio',
    compatible: 'raspberrypi,rp1-gpio',
    base: 571,
    label: 'pinctrl-rp1',
  };
  t.strictSame(headerOf(tree(t, [...others, rp1])), {
    name: 'gpiochip15',
    device: '/dev/gpiochip15',
    label: 'pinctrl-rp1',
    base: 571,
  });
  t.end();
});

t.test('a chip without a device tree is found by its label, from sysfs or from the chip itself', (t) => {
  const simulated = tree(t, [
    { name: 'gpiochip0', parent: 'platform/gpio-sim.0', base: 512, label: 'pinctrl-bcm2711' },
  ]);
  t.match(headerOf(simulated), { name: 'gpiochip0', base: 512 });
  t.end();
});

t.test('without GPIO in sysfs there is no base, and the chip says its label itself', (t) => {
  const sys = tree(t, [
    { name: 'gpiochip0', parent: 'platform/other' },
    { name: 'gpiochip4', parent: 'platform/rp1' },
  ]);
  t.strictSame(headerOf(sys, { '/dev/gpiochip4': 'pinctrl-rp1' }), {
    name: 'gpiochip4',
    device: '/dev/gpiochip4',
    label: 'pinctrl-rp1',
    base: null,
  });
  t.equal(headerOf(sys), null, 'where it may not be asked, nobody knows');
  t.end();
});

t.test('of several chips below one parent the label tells which base is whose', (t) => {
  const sys = tree(t, [
    { name: 'gpiochip0', parent: 'platform/gpio-sim.0', base: 512, label: 'pinctrl-bcm2711' },
    { name: 'gpiochip1', parent: 'platform/gpio-sim.0', base: 566, label: 'gpio-sim.0:node1' },
  ]);
  t.match(headerOf(sys, { '/dev/gpiochip0': 'pinctrl-bcm2711', '/dev/gpiochip1': 'gpio-sim.0:node1' }), { base: 512 });
  t.end();
});

t.test('other chips, or none, are no header; they are listed all the same', (t) => {
  const sys = tree(t, [{ name: 'gpiochip0', parent: 'platform/INTC1056:00', base: 512, label: 'INTC1056:00' }]);
  t.strictSame(findChip({ sys }), {
    chips: [{ name: 'gpiochip0', device: '/dev/gpiochip0', label: 'INTC1056:00', base: 512 }],
    header: null,
  });
  t.strictSame(findChip({ sys: join(sys, 'nowhere') }), { chips: [], header: null });
  t.end();
});
