/** Crash points, part 4 of 4: see points.ts. */
import t from 'tap';
import { testScripts } from './points.js';
import { SCRIPT_GROUPS } from './scripts.js';

testScripts(t, SCRIPT_GROUPS[3]!);
