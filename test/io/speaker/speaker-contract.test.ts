/** SpeakerOutput keeps the contract of sound cards, with a stand-in for its package in a real process. */
import t from 'tap';
import { SpeakerOutput } from '../../../src/io/speaker/speaker-output.js';
import { SystemTime } from '../../../src/io/time/system-time.js';
import { runAudioOutputContract } from '../../contract/audio-output.js';
import { passRealTime } from '../../contract/support.js';
import { scratchFolder, standIn } from './stand-in.js';

// Each opening starts a process: a second and more on a machine that is busy with other tests.
t.setTimeout(120_000);
const module = standIn(scratchFolder(t), 'plays');

void runAudioOutputContract(t, 'SpeakerOutput, with a stand-in for its package,', () => ({
  output: new SpeakerOutput({ time: new SystemTime() }, { device: 'auto', module }),
  pass: passRealTime,
}));
