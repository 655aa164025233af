/**
 * What the unit runs after a node that was killed: `tutti lamp-off`, without the rest of the program. Until it has run, the lamp of a leader that
 * is no more shines on, and a Raspberry Pi takes longer to load all commands than others take to elect the next one.
 */
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { DEFAULT_CONFIG_FILE } from './cli/load-config.js';
import { parseConfig } from './config/config.js';
import { switchLampsOff } from './daemon/lamp-off.js';

const text = existsSync(DEFAULT_CONFIG_FILE) ? readFileSync(DEFAULT_CONFIG_FILE, 'utf8') : '';
await switchLampsOff(parseConfig(text, process.env, { hostname: hostname() }));
