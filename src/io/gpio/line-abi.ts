/**
 * The GPIO character device's structures, as bytes: version 2, which kernels have since 5.10.
 *
 * All fields have a fixed width and are aligned by their own size, so that one layout serves 32-bit and 64-bit machines; numbers are in the
 * machine's order, which is little-endian on everything that Tutti runs on.
 *
 * Further reading: linux/gpio.h; Documentation/userspace-api/gpio/chardev.rst of the kernel.
 */

/** `_IOC` of asm-generic/ioctl.h: direction (1 write, 2 read), size, type and number. */
const request = (direction: number, number: number, bytes: number): number =>
  direction * 2 ** 30 + bytes * 2 ** 16 + 0xb4 * 2 ** 8 + number;
const READ = 2;
const BOTH = 3;

/** Bytes of a name, a label or a consumer, NUL-terminated. */
const NAME_BYTES = 32;

/** Bytes of the structures. */
export const BYTES = { chipInfo: 68, lineInfo: 256, lineRequest: 592, values: 16, event: 48 } as const;

/** Numbers of the calls (ioctl(2)). */
export const CALLS = {
  chipInfo: request(READ, 0x01, BYTES.chipInfo),
  lineInfo: request(BOTH, 0x05, BYTES.lineInfo),
  getLine: request(BOTH, 0x07, BYTES.lineRequest),
  getValues: request(BOTH, 0x0e, BYTES.values),
  setValues: request(BOTH, 0x0f, BYTES.values),
} as const;

/** Flags of a line (enum gpio_v2_line_flag). */
export const LINE_FLAGS = {
  used: 1n << 0n,
  activeLow: 1n << 1n,
  input: 1n << 2n,
  output: 1n << 3n,
  edgeRising: 1n << 4n,
  edgeFalling: 1n << 5n,
  biasPullUp: 1n << 8n,
} as const;

/** GPIO_V2_LINE_EVENT_RISING_EDGE: the line became active. */
const RISING = 1;

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const textAt = (bytes: Uint8Array, offset: number): string => {
  const field = bytes.subarray(offset, offset + NAME_BYTES);
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString('utf8');
};

/** What a chip says of itself. */
export interface ChipInfo {
  /** As the device is called: gpiochip0. */
  readonly name: string;
  /** As its driver calls it: pinctrl-bcm2711. */
  readonly label: string;
  /** How many lines it has. */
  readonly lines: number;
}

/** Reads a struct gpiochip_info. */
export const readChipInfo = (bytes: Uint8Array): ChipInfo => ({
  name: textAt(bytes, 0),
  label: textAt(bytes, NAME_BYTES),
  lines: viewOf(bytes).getUint32(2 * NAME_BYTES, true),
});

/** A struct gpio_v2_line_info that asks for this line. */
export function lineInfoFor(line: number): Uint8Array {
  const bytes = new Uint8Array(BYTES.lineInfo);
  viewOf(bytes).setUint32(64, line, true);
  return bytes;
}

/** Who holds the line that a struct gpio_v2_line_info is about; null where nobody does. */
export const readConsumer = (bytes: Uint8Array): string | null =>
  (viewOf(bytes).getBigUint64(72, true) & LINE_FLAGS.used) === 0n ? null : textAt(bytes, NAME_BYTES);

/** A wish for one line. */
export interface LineWish {
  /** Number on its chip: a BCM number on a Raspberry Pi's. */
  readonly line: number;
  /** Of {@link LINE_FLAGS}. */
  readonly flags: bigint;
  /** Who it is for, as others are shown: up to 31 bytes of ASCII. */
  readonly consumer: string;
}

/** A struct gpio_v2_line_request. An output begins inactive. */
export function lineRequestFor({ line, flags, consumer }: LineWish): Uint8Array {
  const bytes = new Uint8Array(BYTES.lineRequest);
  const view = viewOf(bytes);
  view.setUint32(0, line, true);
  bytes.set(Buffer.from(consumer, 'latin1').subarray(0, NAME_BYTES - 1), 256);
  view.setBigUint64(288, flags, true);
  view.setUint32(560, 1, true);
  return bytes;
}

/** The file descriptor that the kernel has put into a struct gpio_v2_line_request. */
export const readLineDescriptor = (bytes: Uint8Array): number => viewOf(bytes).getInt32(588, true);

/** A struct gpio_v2_line_values for the one line of a request. */
export function lineValues(isActive: boolean): Uint8Array {
  const bytes = new Uint8Array(BYTES.values);
  bytes[0] = isActive ? 1 : 0;
  bytes[8] = 1;
  return bytes;
}

/** Whether the one line of a struct gpio_v2_line_values is active. */
export const readLineValue = (bytes: Uint8Array): boolean => (bytes[0]! & 1) === 1;

/** An edge of a line. */
export interface LineEdge {
  /** True where the line became active. */
  readonly isRising: boolean;
  /** By CLOCK_MONOTONIC, nanoseconds. */
  readonly monotonicNs: bigint;
}

/** Reads whole struct gpio_v2_line_event, one after another. */
export function readEdges(bytes: Uint8Array): LineEdge[] {
  const view = viewOf(bytes);
  return Array.from({ length: Math.floor(bytes.length / BYTES.event) }, (_, i) => ({
    isRising: view.getUint32(i * BYTES.event + 8, true) === RISING,
    monotonicNs: view.getBigUint64(i * BYTES.event, true),
  }));
}
