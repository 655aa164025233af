import t from 'tap';
import { chooseDriver, type GpioFacts } from '../../../src/io/gpio/choose-driver.js';

const HEADER = { name: 'gpiochip0', device: '/dev/gpiochip0', label: 'pinctrl-bcm2711', base: 512 };
const PI: GpioFacts = { chips: [HEADER], header: HEADER, onoff: null, chardev: null };
const LAPTOP: GpioFacts = {
  chips: [{ name: 'gpiochip0', device: '/dev/gpiochip0', label: 'INTC1056:00', base: 512 }],
  header: null,
  onoff: 'there is none',
  chardev: 'there is none',
};
const NOTHING: GpioFacts = { ...LAPTOP, chips: [] };

t.test('auto takes onoff where it can do its work, else the character device, and says why', (t) => {
  t.strictSame(chooseDriver('auto', PI), {
    driver: 'onoff',
    why: 'gpiochip0 (pinctrl-bcm2711) through onoff',
    isTrouble: false,
  });
  t.strictSame(chooseDriver('auto', { ...PI, onoff: 'sysfs is read-only' }), {
    driver: 'chardev',
    why: 'gpiochip0 (pinctrl-bcm2711) through chardev; no onoff: sysfs is read-only',
    isTrouble: false,
  });
  t.end();
});

t.test('a chip that nobody lets this user have is trouble, and both reasons are told', (t) => {
  t.strictSame(chooseDriver('auto', { ...PI, onoff: 'sysfs is read-only', chardev: 'not for this user' }), {
    driver: 'none',
    why: 'no onoff: sysfs is read-only; no chardev: not for this user',
    isTrouble: true,
  });
  t.end();
});

t.test('a machine without the chip has no buttons: no trouble, unless a driver was asked for', (t) => {
  t.strictSame(chooseDriver('auto', NOTHING), {
    driver: 'none',
    why: 'this machine has no GPIO chip',
    isTrouble: false,
  });
  const other = chooseDriver('auto', LAPTOP);
  t.match(other, { driver: 'none', isTrouble: false });
  t.match(other.why, /there is gpiochip0 \(INTC1056:00\)$/);
  t.match(chooseDriver('chardev', LAPTOP), { driver: 'none', isTrouble: true });
  t.end();
});

t.test('a driver that was asked for is the one, or trouble; none is none', (t) => {
  t.match(chooseDriver('chardev', PI), { driver: 'chardev', isTrouble: false });
  t.match(chooseDriver('onoff', { ...PI, onoff: 'it does not load' }), {
    driver: 'none',
    why: 'no onoff: it does not load',
    isTrouble: true,
  });
  t.match(chooseDriver('none', PI), { driver: 'none', isTrouble: false });
  t.end();
});
