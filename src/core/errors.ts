/**
 * The error catalogue: everything that can go wrong and is not a bug of ours, in one table.
 *
 * Callers branch on `code`, never on words. HTTP answers, the command line's exit codes, refusals in the replicated log and
 * `docs/errors.md` are all read from here, so a new way to fail is one new row.
 */

/** Who has to act: the one who asked, the world around the node (disk, network, peers), or we. */
export type Fault = 'caller' | 'world' | 'tutti';

interface Row {
  /** HTTP status (RFC 9110) of the answer that carries it. */
  readonly status: number;
  readonly fault: Fault;
  /** What is wrong, in a sentence without particulars: those travel in the error's `detail`. */
  readonly title: string;
  /** What the reader can do about it. */
  readonly advice: string;
}

const row = (status: number, fault: Fault, title: string, advice: string): Row => ({ status, fault, title, advice });

/** Every code with its row. Codes are part of the contract: they may be added, and are never renamed. */
export const ERRORS = {
  // What was asked is not well formed.
  BAD_REQUEST: row(
    400,
    'caller',
    'The request does not have the form that this call takes.',
    'Read the detail: it names each field and what would be right; /api/v1/openapi.json holds the whole form.',
  ),
  BAD_NAME: row(400, 'caller', 'This name cannot be used.', 'Use 1 to 255 bytes of UTF-8 without control characters.'),
  BAD_CONFIG: row(
    400,
    'caller',
    'The configuration has mistakes.',
    'Correct every key that the detail lists; docs/configuration.md describes them all.',
  ),
  BAD_POSITION: row(
    422,
    'caller',
    'That position is outside the track.',
    'Give a position from 0 up to the length of the current track.',
  ),
  BAD_FRAME: row(
    400,
    'world',
    'Bytes of a message or record do not have the form that they claim.',
    'Check that all nodes run the same version; if the detail names a disk, check the SD card.',
  ),
  BAD_RANGE: row(
    416,
    'caller',
    'The file has no such range of bytes.',
    'Ask for bytes below the length that the header Content-Range names, or leave the header Range out.',
  ),
  BAD_USAGE: row(400, 'caller', 'The command line has a mistake.', 'Run tutti help, or tutti help COMMAND.'),
  BODY_TOO_LARGE: row(
    413,
    'caller',
    'The body is larger than this call takes.',
    'Send less; only an upload of a track may be large.',
  ),
  BUSY: row(
    429,
    'world',
    'This node has as much to do as it can.',
    'Wait until something that is under way has ended, then ask again.',
  ),
  UNAUTHORIZED: row(
    401,
    'caller',
    'This node asks for its token before it changes anything.',
    'Send "Authorization: Bearer TOKEN" (tutti: --token or TUTTI_TOKEN), the token from the file that http.token_file names.',
  ),
  TOO_MANY_REFUSED: row(
    429,
    'caller',
    'Too many calls from this address were refused.',
    'Wait as long as the header Retry-After says. Calls that are right are not counted: check the token, and which page or program sends the others.',
  ),
  FORBIDDEN_ORIGIN: row(
    403,
    'caller',
    'A page of another site may not change what plays here.',
    'Open the page of this node itself, or call without an Origin header.',
  ),
  NOT_FOUND: row(
    404,
    'caller',
    'There is nothing at this address.',
    'See /api/v1/openapi.json for the calls that there are.',
  ),
  METHOD_NOT_ALLOWED: row(
    405,
    'caller',
    'There is something at this address, and it takes no such method.',
    'Use a method that the header Allow names; /api/v1/openapi.json says what each does.',
  ),
  TOO_SLOW: row(
    408,
    'caller',
    'The body came so slowly that the node stopped waiting.',
    'Send it again over a better connection: an upload has to bring 64 KiB in any 20 seconds, every other body has to be there within 20.',
  ),

  // Tracks.
  TRACK_NOT_FOUND: row(
    404,
    'caller',
    'No track has this id or title.',
    'List the tracks (tutti ls, GET /api/v1/tracks) and use an id or title from there.',
  ),
  TRACK_NOT_READY: row(
    409,
    'world',
    'This track is still on its way to the nodes.',
    'Wait until its upload says "done", then ask again.',
  ),
  TRACK_EXISTS: row(
    409,
    'caller',
    'The library has a track of exactly these bytes.',
    'Nothing to do: use the track that the detail names.',
  ),
  TRACK_PLAYING: row(409, 'caller', 'This track is playing.', 'Skip or stop it first.'),
  UNSUPPORTED_AUDIO: row(
    415,
    'caller',
    'This file is not audio that Tutti plays.',
    'Convert it to a WAV of PCM 8, 16, 24 or 32 bits or float 32 or 64 bits, 1 to 8 channels, 8 to 192 kHz.',
  ),
  INCOMPLETE_AUDIO: row(
    422,
    'caller',
    'The file promises more than it holds.',
    'Send the whole file again; the copy at hand was cut short.',
  ),
  DISK_FULL: row(
    507,
    'world',
    'The disk has no room for this.',
    'Remove tracks (tutti rm) or other files, or use a larger card.',
  ),

  // Queue and transport.
  ITEM_NOT_FOUND: row(
    404,
    'caller',
    'The queue has no such item.',
    'It was played or removed meanwhile: look at the queue and ask again.',
  ),
  ITEM_CHANGED: row(
    409,
    'caller',
    'Another item is current by now.',
    'Somebody was quicker, or the song ended: nothing was done. Ask again if it is still what you want.',
  ),
  ITEM_PLAYING: row(
    409,
    'caller',
    'The current item keeps its place at the head of the queue.',
    'Move other items, or skip this one.',
  ),
  QUEUE_FULL: row(409, 'caller', 'The queue holds 5,000 items at most.', 'Remove items first, or add fewer.'),
  QUEUE_EMPTY: row(409, 'caller', 'There is nothing in the queue to play.', 'Add a track to the queue first.'),
  NOTHING_PLAYING: row(409, 'caller', 'No item is current.', 'Press play first.'),

  // The cluster.
  NODE_NOT_FOUND: row(
    404,
    'caller',
    'The cluster has no such node.',
    'List the nodes (GET /api/v1/members) and use an id or name from there.',
  ),
  AMBIGUOUS_NAME: row(
    409,
    'caller',
    'Several nodes have this name.',
    'Use the id of the one that is meant: tutti members lists them.',
  ),
  NO_QUORUM: row(
    503,
    'world',
    'This node cannot reach a majority of the cluster.',
    'Wait, or bring the other nodes back; what was agreed goes on playing meanwhile.',
  ),
  OUTCOME_UNKNOWN: row(
    503,
    'world',
    'The request was sent and no answer came: it may yet take effect.',
    'Look at the state first. A command may be repeated with the same Idempotency-Key; a change of members (tutti members) may be asked for again as it was.',
  ),
  KEY_REUSED: row(
    409,
    'caller',
    'This Idempotency-Key was used for something else.',
    'Use a new key for each request; only a retry of the same request carries the same one.',
  ),
  RETRY_EXPIRED: row(
    409,
    'caller',
    'This retry is older than outcomes are kept.',
    'Look at the state: the first request may have taken effect. Then ask anew with a new key.',
  ),
  CLUSTER_TOO_OLD: row(
    409,
    'world',
    'Some node of the cluster does not know this command yet.',
    'Upgrade every node, then ask again.',
  ),
  NOT_A_MEMBER: row(
    409,
    'caller',
    'This node belongs to no cluster yet.',
    'Form a cluster with this node (tutti init), or let it join one (tutti join ADDRESS --key KEY).',
  ),
  ALREADY_A_MEMBER: row(
    409,
    'caller',
    'This node belongs to a cluster already.',
    'Nothing to do, if it is the right one. Else stop the node, move its data directory away, and start it anew.',
  ),
  LAST_MEMBER: row(
    409,
    'caller',
    'The only node of a cluster cannot be taken out of it.',
    'Let another node join first; or stop this one, and remove its data directory.',
  ),
  TRACKS_AT_RISK: row(
    409,
    'world',
    'Some tracks would be on too few of the nodes that vote.',
    'Nothing was changed. Wait until the other nodes have fetched them, or switch the nodes on that have them, and ask again. To go on all the same, and lose what is nowhere else: tutti members remove NAME --accept-loss.',
  ),
  NODE_REMOVED: row(
    409,
    'world',
    'This node was taken out of its cluster.',
    'To let it in again, stop it, move the folder consensus of its data directory away, start it, and run tutti join.',
  ),
  LOG_DAMAGED: row(
    503,
    'world',
    'A part of the log on this node is damaged, and no other node can mend it.',
    'Bring the other nodes back. Where there are none, stop the node and run tutti repair, which says what would be lost.',
  ),
  CARD_DAMAGED: row(
    500,
    'world',
    'The card of this node has lost some of what was written to it.',
    'Nothing is lost yet: the node has it in memory, and the others have it. Replace the card soon (tutti join --replace); a card that loses once will lose again.',
  ),
  CARD_NOT_TRUSTED: row(
    503,
    'world',
    'The card of this node is not the one that the others know: it was restored from a copy, or cloned.',
    'Stop the node, move the folder consensus of its data directory away, start it, and run tutti join --replace with its name.',
  ),
  STATE_DIFFERS: row(
    500,
    'world',
    'This node came to another state than the others.',
    'It takes theirs over by itself and does not vote until then; report it with the log of this node.',
  ),
  NODE_UNREACHABLE: row(
    503,
    'world',
    'No node answers at this address.',
    'Start it (tutti run), or name another with --node.',
  ),
  BAD_ANSWER: row(
    502,
    'world',
    'What answers at this address does not speak as a node of Tutti.',
    'Check the address (--node, TUTTI_NODE), and that the node runs the same version.',
  ),
  PEER_UNREACHABLE: row(
    503,
    'world',
    'No node listens for peers at this address.',
    'Check that the node runs there, that the port is that of cluster.listen (7420), and that no firewall is between.',
  ),
  KEY_REFUSED: row(
    403,
    'caller',
    'The cluster at this address has another key.',
    'Use the key that tutti invite prints on one of its nodes.',
  ),
  PEER_TOO_OLD: row(
    409,
    'world',
    'The other node speaks an older version of the peers’ protocol.',
    'Upgrade the node that the detail names, then try again.',
  ),
  NODE_TOO_OLD: row(
    409,
    'world',
    'This node speaks an older version of the peers’ protocol than the other.',
    'Upgrade this node, then try again.',
  ),

  // Devices of this node.
  OUTPUT_UNAVAILABLE: row(
    503,
    'world',
    'The sound card cannot be used.',
    'Check output.device against tutti capabilities, and who else holds the card.',
  ),
  GPIO_UNAVAILABLE: row(
    503,
    'world',
    'A button or a lamp of this node cannot be used.',
    'The log says which line, and why; tutti doctor looks at the chip, the lines and who may use them. Everything else works.',
  ),
  BUTTON_STUCK: row(
    503,
    'world',
    'A button of this node has been down for half a minute.',
    'The log says which. Look whether it is jammed, or its line is at ground; it counted as one press, and does nothing until it is let go.',
  ),
  PRESS_REFUSED: row(
    503,
    'world',
    'A press at this node was not carried out.',
    'The front panel and the log of the node say why; press again when that is over.',
  ),
  PANEL_UNAVAILABLE: row(
    503,
    'world',
    'The front panel of this node does not answer.',
    'Plug it in, or set panel.port to where it is; it is looked for all the time. The log says what is wrong, and tutti doctor looks at the port.',
  ),
  NO_CLOCK: row(
    503,
    'world',
    'The cluster clock has no lock yet.',
    'Wait a moment; if it lasts, check that UDP passes between the nodes.',
  ),
  CLOCK_OUTVOTED: row(
    503,
    'world',
    'The leading node says another time than most nodes.',
    'The house keeps to what most say. Look at the clocks of the nodes (tutti sync-report), and restart the one that leads.',
  ),
  TRACK_NOT_HELD: row(
    503,
    'world',
    'Too few of the nodes that vote hold the file of this track durably.',
    'Nothing is lost: the node that took the file in asks again as soon as others have it; see GET /api/v1/members for who is away.',
  ),
  TRACK_DAMAGED: row(
    500,
    'world',
    'A file on the card of this node is not what it was.',
    'Nothing has to be done: what is damaged is fetched from another node, and is not played until then. If it happens often, replace the card.',
  ),
  TRACK_LOST: row(
    410,
    'world',
    'No node holds a good copy of this track any more.',
    'Send the same file once more, and the track is whole again; or remove the track.',
  ),
  BAD_CHUNK: row(
    500,
    'world',
    'A piece of a file is not what its hash says.',
    'Nothing has to be done: it is fetched from another node. The log says which card it came from.',
  ),
  FILE_NOT_READABLE: row(
    403,
    'caller',
    'This node may not read the file.',
    'Let the group of the inbox read it, chmod g+r FILE, and copy it in again; scp and rsync keep permissions only where they are told to.',
  ),
  INBOX_UNUSABLE: row(
    503,
    'world',
    'The inbox cannot be used as it is: its folder cannot be listed, or does not let go of what was taken.',
    'The log names the file and the reason. Let the user and the group of the node write to the folder, chmod 2770 DIR, and whatever waits goes on within half a minute.',
  ),
  INBOX_NOT_A_FILE: row(
    422,
    'caller',
    'Something lies in the inbox that is no file: folders and links are not taken.',
    'Copy the WAV files themselves into the inbox, without their folder, and remove what the log names.',
  ),
  TRACK_MISSING: row(
    503,
    'world',
    'This node has no copy of the track yet.',
    'It is fetched from the other nodes by itself; check that they are reachable.',
  ),
  TRACK_UNREADABLE: row(
    500,
    'world',
    'The copy of the track on this node cannot be read.',
    'Check the SD card or disk; a good copy is fetched from the other nodes.',
  ),
  FILE_EXISTS: row(
    500,
    'world',
    'A file of this name is in the way.',
    'Look at what the detail names in the data directory; another program may have put it there.',
  ),
  BAD_SNAPSHOT: row(
    500,
    'world',
    'A snapshot of the agreed state cannot be read.',
    'Where the house has other nodes, start them: one of them sends a good one. On a node that is alone, tutti repair says what can be had back. If the detail names a newer version, upgrade this node.',
  ),
  DISK_FAILED: row(
    500,
    'world',
    'The disk refused to read or write.',
    'Check that the data directory can be written to, then the SD card or disk itself.',
  ),
  STORE_UNREADABLE: row(
    500,
    'world',
    'What this node promised to the others can no longer be read from its card.',
    'Move the folder consensus of its data directory away, and let this card in again: tutti join ADDRESS --key KEY --replace NAME.',
  ),
  DATA_DIR_IN_USE: row(
    503,
    'world',
    'Another process runs on this data directory.',
    'End the other node, or give this one a directory of its own (--data, data_dir).',
  ),
  PORT_IN_USE: row(
    503,
    'world',
    'The address to listen on is taken.',
    'Stop the other program, or set another address in the configuration.',
  ),
  INTERNAL: row(500, 'tutti', 'Tutti made a mistake.', 'Please report it with the log of this node.'),
} as const satisfies Record<string, Row>;

/** A code of the catalogue. */
export type ErrorCode = keyof typeof ERRORS;

/** Particulars for machines, such as `{trackId}`; plain values only, since they travel in JSON. */
export type ErrorInfo = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** Something went wrong that a caller can be told about. Everything that is known to go wrong is thrown or returned as one of these. */
export class TuttiError extends Error {
  override readonly name = 'TuttiError';
  readonly code: ErrorCode;
  /** What exactly was wrong this time and what would be right: one sentence for a person. */
  readonly detail: string;
  readonly info: ErrorInfo;

  constructor(code: ErrorCode, detail?: string, info: ErrorInfo = {}, cause?: unknown) {
    const text = detail ?? ERRORS[code].title;
    super(`${code}: ${text}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.detail = text;
    this.info = info;
  }
}

/** True for text that is a code of the catalogue. */
export const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(ERRORS, text);
