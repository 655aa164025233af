/**
 * All that the page says, in English; and, by its type, what every other language has to say too.
 *
 * Sentences are whole, with functions for what changes within them: no component puts words together, since languages order them differently.
 */
import type { Button } from '../model/overlay.js';
import type { Region } from '../model/region.js';
import type { RoomKind } from '../model/rooms.js';
import { formatOf } from './format.js';
import { notYetKnown, type Refused } from './refusals.js';

const f = formatOf('en');
const { count } = f;
const songs = (n: number) => (n === 1 ? '1 song' : `${count(n)} songs`);
/** A bound is rounded up, and less than a microsecond is not claimed. */
const atMost = (us: number) => Math.max(1, Math.ceil(us));
const seconds = (s: number) => `${count(s)} s`;

/** A length of time as it is spoken. */
const spoken = (ms: number): string => {
  const whole = Math.max(0, Math.floor(ms / 1_000));
  const minutes = Math.floor(whole / 60);
  const minuteText = minutes === 1 ? '1 minute' : `${minutes} minutes`;
  return minutes === 0 ? `${whole} seconds` : `${minuteText} ${whole % 60}`;
};

const regions: Readonly<Record<Region, string>> = {
  now: 'Now',
  queue: 'Queue',
  library: 'Library',
  house: 'House',
  sync: 'Sync',
  setup: 'Set up',
};

const kinds: Readonly<Record<RoomKind, string>> = {
  playing: 'plays',
  idle: 'idle',
  silent: 'silent',
  away: 'away',
};

const buttons: Readonly<Record<Button, string>> = {
  toggle: 'Play',
  skip: 'Skip',
  previous: 'Previous',
  shuffle: 'Shuffle',
};

const vias: Readonly<Record<string, string>> = {
  web: 'on the page',
  cli: 'on the command line',
  button: 'by its button',
  panel: 'on its panel',
  api: 'by a program',
  node: 'by itself',
};

/** Everything that is said. */
export const en = {
  lang: 'en',
  f,
  /** A code of the catalogue in words; they come a moment after the page. */
  refusal: notYetKnown as (code: string) => Refused,

  // The frame.
  regions,
  skipToMain: 'Skip to the music',
  navigation: 'Regions',
  seenFrom: (node: string) => `This is how ${node} sees it.`,
  menu: 'Menu',
  cancel: 'Cancel',
  dismiss: 'Dismiss',
  undo: 'Undo',
  loading: 'Waiting for the first word of the node …',

  // The line to the node, and the house as a whole.
  noLine: 'There is no line to the node.',
  noHouse: 'This node belongs to no house yet.',
  mustWait: 'Changes must wait: this room cannot reach most of the others.',
  noWord: (node: string, s: number) => `No word from ${node} for ${seconds(s)}. What you see is how it was.`,
  reconnected: (node: string) => `${node} is back.`,
  neverHeard: (node: string) => `${node} does not answer yet. Trying …`,
  alsoAnswers: 'These answer:',
  cutOff: (node: string, online: number, voters: number) =>
    `Cut off: ${node} sees ${online} of ${voters}. Music plays on; changes must wait.`,
  noLeader: 'Nobody leads at the moment: changes must wait. Music plays on.',
  updated: 'The node was updated. This page is from before.',
  reload: 'Reload',
  tokenTitle: 'The token of this node',
  tokenWhy: 'This node asks for a token before it changes anything. It stands in the file http.token of its data.',
  tokenLabel: 'Token',
  tokenSave: 'Use this token',
  tokenForget: 'Forget the token',

  // The house strip.
  inStep: (us: number | null) => (us === null ? 'In step' : `In step, within ${f.span(atMost(us))}`),
  apart: (us: number) => `Out of step by ${f.span(us)}`,
  oneRoom: 'One room plays',
  nobodyPlays: 'Silence',
  allPaused: 'Paused, together',
  kinds,
  leads: 'leads',

  // Now.
  buttons,
  play: 'Play',
  pause: 'Pause',
  nothing: 'Nothing is playing',
  emptyHouse: 'No music yet',
  emptyHouseHow: (node: string) => `Drop WAV files here, or copy them to ${node}.local:/var/lib/tutti/inbox/`,
  emptyQueue: (n: number) => (n === 0 ? 'The queue is empty.' : `The queue is empty. The library has ${songs(n)}.`),
  toLibrary: 'Open the library',
  position: 'Position',
  positionText: (ms: number, ofMs: number) => `${spoken(ms)} of ${spoken(ofMs)}`,
  alreadySkipped: 'Already skipped',
  nowPlaying: (title: string) => `Now playing ${title}`,
  by: (node: string, via: string) => `${node}, ${vias[via] ?? via}`,
  playedBy: (who: string) => `Played by ${who}`,
  pausedBy: (who: string) => `Paused by ${who}`,
  soundingHere: (node: string) => `Sounding in ${node}`,
  silentHere: (node: string, reason: string) => `${node} is silent. ${reason}`,
  noOutputHere: (node: string) => `${node} has no sound card: it takes part without a sound.`,
  repeats: { off: 'Repeat: off', all: 'Repeat: all', one: 'Repeat: this song' },

  // Volume.
  volume: 'Volume',
  volumeOf: (room: string) => `Volume of ${room}`,
  louder: 'Louder',
  quieter: 'Quieter',
  mute: 'Mute',
  unmute: 'Unmute',
  perCent: (value: number) => `${value} %`,
  muted: 'muted',
  upTo: (limit: number) => `up to ${limit} %`,

  // The queue.
  queueSummary: (n: number, ms: number) => `${songs(n)}, ${f.clock(ms)}`,
  clear: 'Clear',
  cleared: (n: number) => `${songs(n)} removed from the queue`,
  removed: (title: string) => `${title} removed from the queue`,
  moved: (title: string, place: number, of: number) => `${title}, ${place} of ${of}`,
  queueChanged: 'The queue was changed elsewhere.',
  added: (title: string, n: number) => (n === 1 ? `${title} added to the queue` : `${songs(n)} added to the queue`),
  drag: (title: string) => `Move ${title}`,
  itemMenu: (title: string) => `More for ${title}`,
  playThis: 'Play from here',
  playNext: 'Play next',
  up: 'Up',
  down: 'Down',
  toEnd: 'To the end',
  remove: 'Remove from the queue',
  current: { playing: 'plays now', paused: 'paused', stopped: '' },
  onItsWay: 'on its way',

  // The library.
  search: 'Search the library',
  sort: 'Sort by',
  sorts: { title: 'Title', album: 'Album', added: 'Newest', length: 'Length' },
  found: (n: number, of: number) => (n === of ? songs(of) : `${count(n)} of ${songs(of)}`),
  noneFound: (text: string) => `Nothing is called “${text}”.`,
  add: 'Add to the queue',
  addAll: (n: number) => `Add all ${count(n)} to the queue`,
  playNow: 'Play now',
  rename: 'Rename',
  renameTitle: (title: string) => `Rename “${title}”`,
  newTitle: 'New title',
  save: 'Save',
  delete: 'Delete',
  deleteTitle: (title: string) => `Delete “${title}”?`,
  deleteWhy: (n: number) => (n === 1 ? 'It goes from the card.' : `It goes from all ${n} cards.`),
  deleteNotNow: 'It plays now: skip it first.',
  onSome: (n: number, of: number) => `on ${n} of ${of}`,
  lost: 'no good copy',
  details: (rateHz: number, bits: number, channels: number) =>
    `${f.figure(rateHz / 1_000)} kHz, ${bits} bit${channels === 2 ? '' : `, ${channels === 1 ? 'mono' : `${channels} channels`}`}`,

  // Uploads.
  upload: 'Add music',
  uploadFolder: 'Add a folder',
  uploads: 'On the way in',
  dropLibrary: 'Drop to add to the library',
  dropQueue: 'Drop to add to the library and the queue',
  uploading: (received: string, total: string) => `${received} of ${total}`,
  waiting: 'waits',
  checking: 'is being checked',
  onCards: (n: number, of: number) => `on ${n} of ${of}`,
  ready: 'Ready',
  failed: 'Not taken',
  existsAs: (title: string) => `Already in the library as ${title}`,
  cancelUpload: (title: string) => `Cancel ${title}`,
  retryUpload: (title: string) => `Send ${title} again`,
  again: 'Again',
  summary: (done: number, of: number, bytes: string, left: string) => `${done} of ${of} ready, ${bytes}${left}`,
  speedLeft: (speed: string, left: string) => `, ${speed}/s, ${left} left`,
  uploadsReady: (done: number, of: number) => `${done} of ${of} ready`,
  hide: 'Clear the list',
  noFiles: 'There is no file in that.',
  byInbox: 'inbox',
  byOther: 'another page',
  total: '?',

  // The house.
  onlyRoom: (name: string) => `${name} plays alone: the house has one room.`,
  roomsOnline: (n: number, of: number) => (n === of ? `All ${of} rooms are there.` : `${n} of ${of} rooms are there.`),
  someSilent: (names: readonly string[]) => `${f.list(names)} ${names.length === 1 ? 'is' : 'are'} silent.`,
  whoLeads: (name: string) => `${name} leads.`,
  nobodyLeads: 'Nobody leads at the moment.',
  lock: 'Clock',
  locked: (us: number | null) => (us === null ? 'locked' : `locked, within ${f.span(us)}`),
  isTheClock: 'the clock of the house',
  holdover: 'goes on by itself',
  unlocked: 'no lock yet',
  disk: 'Card',
  free: (bytes: number, of: number) => `${f.bytes(bytes)} of ${f.bytes(of)} free`,
  diskFull: 'too full for another song',
  missing: (titles: readonly string[], more: number) =>
    more > 0 ? `${titles.join(', ')} and ${songs(more)} more` : titles.join(', '),
  missingLabel: 'Missing',
  tracksAll: (n: number) => `all ${songs(n)}`,
  lastHeard: (s: number) => `last heard ${seconds(s)} ago`,
  vote: 'Vote',
  learner: 'has no vote yet',
  filling: (held: number, of: number) => `filling: ${count(held)} of ${songs(of)}`,
  openPage: (name: string) => `Open the page of ${name}`,
  here: 'you are here',
  soundSettings: 'How it sounds',
  latency: 'Delay of the amplifier, µs',
  channels: 'Plays',
  channelNames: { stereo: 'stereo', left: 'left', right: 'right', mono: 'mono' } as Readonly<Record<string, string>>,
  nearby: 'Nearby, of no house',
  nearbyHow: 'Open its page and join this house.',
  needsAttention: 'Needs attention',
  showSync: 'How well in step',
  about: (name: string, version: string) => `Tutti ${version} on ${name}`,

  // Sync.
  syncLead: 'How far each room is from where the music should be, second by second.',
  spread: 'Between rooms',
  spreadLine: (p50: string, p95: string, p99: string, max: string) =>
    `half the time within ${p50}, 95 % ${p95}, 99 % ${p99}, at most ${max}`,
  noSpread: 'No two rooms have sounded together lately.',
  window: (s: number) => `of the last ${seconds(s)}`,
  scale: (us: number) => `The whole height is ±${f.span(us)}.`,
  pauseChart: 'Hold',
  runChart: 'Go on',
  held: 'Held: the figures stand still.',
  tenMinutes: 'Ten minutes',
  twoMinutes: 'The last two minutes',
  table: 'In figures',
  figures: {
    now: 'Early by',
    bound: 'Known to within',
    offset: 'Clock off by',
    drift: 'Drift of the clock',
    ppm: 'Rate of the card',
    underruns: 'Ran dry',
    snaps: 'Jumped',
    late: 'Came late',
  },
  pairs: 'Each two rooms',
  pair: 'Rooms',
  together: 'Together',
  download: 'Download as JSON',
  noFigure: '–',
  ppm: (value: number) => `${f.figure(value)} ppm`,
  secondsOf: seconds,

  // Setting up.
  welcome: 'Welcome',
  welcomeText: (node: string) => `${node} is running, and belongs to no house yet.`,
  startHouse: 'Start a new house',
  startHouseText: 'This is the first room. The others join it later.',
  joinHouse: 'Join a house',
  joinHouseText: 'On a node of the house, tutti invite prints its address and key.',
  address: 'Address of a node of the house',
  addressHint: 'such as 192.168.1.7 or kitchen.local:7420',
  key: 'Key of the house',
  keyHint: '64 letters and digits; may be empty where this node has its key file',
  join: 'Join',
  working: 'One moment …',
  addressMissing: 'Enter the address of a node of the house.',
  keyOdd: 'A key has 64 letters from a to f and digits.',
  joined: 'This room is part of the house.',
  foundNearby: 'Houses nearby',

  // The menu.
  theme: 'Colours',
  themes: { system: 'as the system', light: 'light', dark: 'dark' },
  language: 'Language',
  keysOn: 'Single keys work',
  keysTitle: 'Keys',
  keys: [
    ['Space, K', 'play or pause'],
    ['N', 'skip'],
    ['← →', '5 seconds back or on, on the position'],
    ['+ −', 'volume'],
    ['/', 'search'],
    ['1 … 5', 'now, queue, library, house, sync'],
    ['Alt ↑ ↓', 'move a song in the queue'],
    ['Del', 'remove it'],
    ['?', 'this list'],
  ] as readonly (readonly [string, string])[],
};

/** What every language has to say. */
export type Words = typeof en;
