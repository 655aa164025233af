/**
 * What /proc/asound holds on machines with different cards: path by path, as the kernel prints it.
 *
 * Written by hand after the kernel's own printing code (sound/core/init.c, sound/core/pcm.c, sound/usb/proc.c) and after listings that
 * owners of such cards have published. The indentation counts.
 */
import type { ProcFiles } from '../../../src/io/alsa/proc-files.js';

export type Tree = Readonly<Record<string, string>>;

/** A tree as ProcFiles: directories are what the paths imply. */
export function procOf(tree: Tree): ProcFiles {
  return {
    text: (path) => tree[path],
    names: (directory) => {
      const below = Object.keys(tree).filter((path) => path.startsWith(`${directory}/`));
      return [...new Set(below.map((path) => path.slice(directory.length + 1).split('/', 1)[0]!))];
    },
  };
}

const pcmInfo = (card: number, device: number, id: string, name: string) => `card: ${card}
device: ${device}
subdevice: 0
stream: PLAYBACK
id: ${id}
name: ${name}
subname: subdevice #0
class: 0
subclass: 0
subdevices_count: 1
subdevices_avail: 1
`;

/** A Pi 4 with headphones, one HDMI port and a HiFiBerry DAC on its header, on which a player is at work. */
export const PI_WITH_I2S_DAC: Tree = {
  '/proc/asound/cards': ` 0 [Headphones     ]: bcm2835_headpho - bcm2835 Headphones
                      bcm2835 Headphones
 1 [vc4hdmi0       ]: vc4-hdmi - vc4-hdmi-0
                      vc4-hdmi-0
 2 [sndrpihifiberry]: RPi-simple - snd_rpi_hifiberry_dac
                      snd_rpi_hifiberry_dac
`,
  '/proc/asound/card0/pcm0p/info': pcmInfo(0, 0, 'bcm2835 Headphones', 'bcm2835 Headphones'),
  '/proc/asound/card0/pcm0p/sub0/status': 'closed\n',
  '/proc/asound/card0/pcm0p/sub0/hw_params': 'closed\n',
  '/proc/asound/card1/pcm0p/info': pcmInfo(1, 0, 'MAI PCM i2s-hifi-0', 'MAI PCM i2s-hifi-0'),
  '/proc/asound/card1/pcm0p/sub0/status': 'closed\n',
  '/proc/asound/card2/pcm0p/info': pcmInfo(
    2,
    0,
    'HifiBerry DAC HiFi pcm5102a-hifi-0',
    'HifiBerry DAC HiFi pcm5102a-hifi-0',
  ),
  '/proc/asound/card2/pcm0p/sub0/status': `state: RUNNING
owner_pid   : 1234
trigger_time: 15.166870370
tstamp      : 0.000000000
delay       : 4410
avail       : 1102
avail_max   : 1102
-----
hw_ptr      : 88200
appl_ptr    : 92610
`,
  '/proc/asound/card2/pcm0p/sub0/hw_params': `access: MMAP_INTERLEAVED
format: S32_LE
subformat: STD
channels: 2
rate: 44100 (44100/1)
period_size: 441
buffer_size: 5512
`,
  '/proc/1234/comm': 'tutti\n',
};

/** A laptop-like machine: a USB DAC with two altsettings and a capture side, a USB headset of old, and a chip on the board. */
export const USB_CARDS: Tree = {
  '/proc/asound/cards': ` 0 [PCH            ]: HDA-Intel - HDA Intel PCH
                      HDA Intel PCH at 0xb1320000 irq 145
 1 [D50s           ]: USB-Audio - D50s
                      Topping D50s at usb-0000:01:00.0-1.2, high speed
 3 [Headset        ]: USB-Audio - USB Headset - Pro
                      Example USB Headset - Pro at usb-0000:01:00.0-1.3, full speed
`,
  '/proc/asound/card0/pcm0p/info': pcmInfo(0, 0, 'ALC257 Analog', 'ALC257 Analog'),
  '/proc/asound/card0/pcm0c/info': pcmInfo(0, 0, 'ALC257 Analog', 'ALC257 Analog'),
  '/proc/asound/card0/pcm10p/info': pcmInfo(0, 10, 'HDMI 3', 'HDMI 3'),
  '/proc/asound/card0/pcm3p/info': pcmInfo(0, 3, 'HDMI 0', 'HDMI 0'),
  '/proc/asound/card0/codec#0': 'Codec: Realtek ALC257\n',
  '/proc/asound/card1/usbid': '152a:8750\n',
  '/proc/asound/card1/pcm0p/info': pcmInfo(1, 0, 'USB Audio', 'USB Audio'),
  '/proc/asound/card1/pcm0p/sub0/status': 'state: RUNNING\nowner_pid   : 77\n',
  '/proc/asound/card1/stream0': `Topping D50s at usb-0000:01:00.0-1.2, high speed : USB Audio

Playback:
  Status: Running
    Interface = 1
    Altset = 1
    Packet Size = 72
    Momentary freq = 44100 Hz (0x5.8333)
    Feedback Format = 16.16
  Interface 1
    Altset 1
    Format: S32_LE
    Channels: 2
    Endpoint: 0x01 (1 OUT) (ASYNC)
    Rates: 44100, 48000, 88200, 96000
    Data packet interval: 125 us
    Bits: 32
    Channel map: FL FR
    Sync Endpoint: 0x81 (1 IN)
    Sync EP Interface: 1
    Sync EP Altset: 1
    Implicit Feedback Mode: No
  Interface 1
    Altset 2
    Format: S16_LE S24_3LE
    Channels: 2
    Endpoint: 0x01 (1 OUT) (ASYNC)
    Rates: 44100
    Data packet interval: 125 us
    Bits: 24

Capture:
  Status: Stop
  Interface 2
    Altset 1
    Format: S16_LE
    Channels: 1
    Endpoint: 0x82 (2 IN) (ADAPTIVE)
    Rates: 8000
    Bits: 16
`,
  '/proc/asound/card3/pcm0p/info': pcmInfo(3, 0, 'USB Audio', 'USB Audio'),
  // As kernels before 4.19 print it: no bits, another form of the endpoint.
  '/proc/asound/card3/stream0': `Example USB Headset - Pro at usb-0000:01:00.0-1.3, full speed : USB Audio

Playback:
  Status: Stop
  Interface 1
    Altset 1
    Format: S16_LE
    Channels: 2
    Endpoint: 4 OUT (ADAPTIVE)
    Rates: 8000 - 48000 (continuous)
`,
};

/** A machine whose kernel has sound and no card. */
export const NO_CARDS: Tree = { '/proc/asound/cards': '--- no soundcards ---\n' };

/** A Pi with an S/PDIF transmitter on its header, and all else switched off. */
export const PI_WITH_DIGI: Tree = {
  '/proc/asound/cards': ` 0 [sndrpihifiberry]: RPi-simple - snd_rpi_hifiberry_digi
                      snd_rpi_hifiberry_digi
`,
  '/proc/asound/card0/pcm0p/info': pcmInfo(
    0,
    0,
    'HifiBerry Digi HiFi wm8804-spdif-0',
    'HifiBerry Digi HiFi wm8804-spdif-0',
  ),
};
