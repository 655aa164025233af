/** Ids that are made at random: of a cluster, a node, a card, a start of a process. */
import type { Random } from '../ports/random.js';

/** 32 hexadecimal digits: see core/ids.ts for what they name. */
export const randomId = (random: Random): string => Buffer.from(random.bytes(16)).toString('hex');
