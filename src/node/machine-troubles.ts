/** What may be wrong with the controls of a node, or with its settings, as alerts of the error catalogue. */
import type { ErrorCode } from '../core/errors.js';

/** Each of them. */
export const MACHINE_TROUBLES = [
  'GPIO_UNAVAILABLE',
  'BUTTON_STUCK',
  'PRESS_REFUSED',
  'PANEL_UNAVAILABLE',
  'BAD_CONFIG',
] as const satisfies readonly ErrorCode[];
/** One of them. */
export type MachineTrouble = (typeof MACHINE_TROUBLES)[number];

/** How much attention a trouble needs of which a daemon tells before it is a node, or one of these. */
export const severityOf = (code: ErrorCode): 'info' | 'warn' => (code === 'PRESS_REFUSED' ? 'info' : 'warn');
