/** The bytes of the character device's structures, compared with what a C compiler makes of the kernel's header. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  BYTES,
  CALLS,
  LINE_FLAGS,
  lineInfoFor,
  lineRequestFor,
  lineValues,
  readChipInfo,
  readConsumer,
  readEdges,
  readLineDescriptor,
  readLineValue,
} from '../../../src/io/gpio/line-abi.js';

/** Prints what the header says: sizes, offsets, numbers of calls, flags. */
const PROGRAM = `
#include <linux/gpio.h>
#include <stddef.h>
#include <stdio.h>
#define SAY(name, value) printf("%s %llu\\n", name, (unsigned long long)(value))
int main(void) {
  SAY("chipInfo", sizeof(struct gpiochip_info));
  SAY("lineInfo", sizeof(struct gpio_v2_line_info));
  SAY("lineRequest", sizeof(struct gpio_v2_line_request));
  SAY("values", sizeof(struct gpio_v2_line_values));
  SAY("event", sizeof(struct gpio_v2_line_event));
  SAY("call chipInfo", GPIO_GET_CHIPINFO_IOCTL);
  SAY("call lineInfo", GPIO_V2_GET_LINEINFO_IOCTL);
  SAY("call getLine", GPIO_V2_GET_LINE_IOCTL);
  SAY("call getValues", GPIO_V2_LINE_GET_VALUES_IOCTL);
  SAY("call setValues", GPIO_V2_LINE_SET_VALUES_IOCTL);
  SAY("flag used", GPIO_V2_LINE_FLAG_USED);
  SAY("flag activeLow", GPIO_V2_LINE_FLAG_ACTIVE_LOW);
  SAY("flag input", GPIO_V2_LINE_FLAG_INPUT);
  SAY("flag output", GPIO_V2_LINE_FLAG_OUTPUT);
  SAY("flag edgeRising", GPIO_V2_LINE_FLAG_EDGE_RISING);
  SAY("flag edgeFalling", GPIO_V2_LINE_FLAG_EDGE_FALLING);
  SAY("flag biasPullUp", GPIO_V2_LINE_FLAG_BIAS_PULL_UP);
  SAY("rising", GPIO_V2_LINE_EVENT_RISING_EDGE);
  SAY("info.offset", offsetof(struct gpio_v2_line_info, offset));
  SAY("info.flags", offsetof(struct gpio_v2_line_info, flags));
  SAY("info.consumer", offsetof(struct gpio_v2_line_info, consumer));
  SAY("chip.label", offsetof(struct gpiochip_info, label));
  SAY("chip.lines", offsetof(struct gpiochip_info, lines));
  SAY("request.consumer", offsetof(struct gpio_v2_line_request, consumer));
  SAY("request.flags", offsetof(struct gpio_v2_line_request, config.flags));
  SAY("request.num_lines", offsetof(struct gpio_v2_line_request, num_lines));
  SAY("request.fd", offsetof(struct gpio_v2_line_request, fd));
  SAY("values.mask", offsetof(struct gpio_v2_line_values, mask));
  SAY("event.id", offsetof(struct gpio_v2_line_event, id));
  SAY("event.timestamp", offsetof(struct gpio_v2_line_event, timestamp_ns));
  return 0;
}
`;

const skip =
  ['/usr/bin/gcc', '/usr/include/linux/gpio.h'].some((path) => !existsSync(path)) && 'needs gcc and libc6-dev';

t.test('sizes, places, calls and flags are those of the kernel’s header', { skip }, (t) => {
  const program = join(t.testdir(), 'layout');
  execFileSync('gcc', ['-x', 'c', '-o', program, '-'], { input: PROGRAM });
  const header = new Map(
    execFileSync(program, { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), BigInt(line.slice(line.lastIndexOf(' ') + 1))]),
  );
  const at = (name: string) => Number(header.get(name));
  for (const [name, bytes] of Object.entries(BYTES)) t.equal(bytes, at(name), `bytes of ${name}`);
  for (const [name, number] of Object.entries(CALLS)) t.equal(number, at(`call ${name}`), `call ${name}`);
  for (const [name, flag] of Object.entries(LINE_FLAGS)) t.equal(flag, header.get(`flag ${name}`), `flag ${name}`);

  const request = lineRequestFor({ line: 0x0102, flags: 0x0a0bn, consumer: 'tutti play' });
  const view = new DataView(request.buffer);
  t.equal(view.getUint32(0, true), 0x0102, 'the first of the offsets');
  t.equal(view.getBigUint64(at('request.flags'), true), 0x0a0bn);
  t.equal(view.getUint32(at('request.num_lines'), true), 1);
  const consumerAt = at('request.consumer');
  t.equal(Buffer.from(request.subarray(consumerAt, consumerAt + 11)).toString('latin1'), 'tutti play\0');
  view.setInt32(at('request.fd'), 77, true);
  t.equal(readLineDescriptor(request), 77);

  const info = lineInfoFor(26);
  const infoView = new DataView(info.buffer);
  t.equal(infoView.getUint32(at('info.offset'), true), 26);
  t.equal(readConsumer(info), null, 'nobody holds it');
  infoView.setBigUint64(at('info.flags'), LINE_FLAGS.used, true);
  info.set(Buffer.from('led0\0junk'), at('info.consumer'));
  t.equal(readConsumer(info), 'led0');

  const chip = new Uint8Array(BYTES.chipInfo);
  chip.set(Buffer.from('gpiochip0'), 0);
  chip.set(Buffer.from('pinctrl-bcm2711'), at('chip.label'));
  new DataView(chip.buffer).setUint32(at('chip.lines'), 58, true);
  t.strictSame(readChipInfo(chip), { name: 'gpiochip0', label: 'pinctrl-bcm2711', lines: 58 });

  t.equal(new DataView(lineValues(true).buffer).getBigUint64(at('values.mask'), true), 1n);
  t.equal(readLineValue(lineValues(true)), true);
  t.equal(readLineValue(lineValues(false)), false);

  const events = new Uint8Array(2 * BYTES.event + 7);
  const eventView = new DataView(events.buffer);
  eventView.setUint32(at('event.id'), at('rising'), true);
  eventView.setBigUint64(at('event.timestamp'), 5n, true);
  eventView.setUint32(BYTES.event + at('event.id'), at('rising') + 1, true);
  eventView.setBigUint64(BYTES.event + at('event.timestamp'), 9n, true);
  t.strictSame(
    readEdges(events),
    [
      { isRising: true, monotonicNs: 5n },
      { isRising: false, monotonicNs: 9n },
    ],
    'whole events only',
  );
  t.end();
});
