/** What every command works with: a node to ask, and a way to say the result. */
import { ERRORS, type TuttiError } from '../core/errors.js';
import type { CliComponents } from './components.js';
import { EXIT, exitCodeOf } from './exit-codes.js';
import { DEFAULT_NODE, NodeClient, nodeUrl } from './node-client.js';
import { printable } from './text.js';

/** The options that every command takes. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly node?: string;
  readonly token?: string;
}

/** One run of one command: what the person asked for by the common options, and the exit code that it is coming to. */
export class Session {
  readonly components: CliComponents;
  readonly json: boolean;
  /** What the process will say when it ends (exit-codes.ts): the first failure that was reported, else 0. */
  exitCode: number = EXIT.ok;
  readonly #options: GlobalOptions;

  constructor(components: CliComponents, options: GlobalOptions) {
    this.components = components;
    this.json = options.json === true;
    this.#options = options;
  }

  /** The node that the command is for. @throws TuttiError BAD_USAGE where its address cannot be read */
  client(): NodeClient {
    const { http, uniqueKey, env } = this.components;
    const { node = textOr(env.TUTTI_NODE, DEFAULT_NODE), token = textOr(env.TUTTI_TOKEN, undefined) } = this.#options;
    return new NodeClient({ http, uniqueKey }, { node: nodeUrl(node), token });
  }

  /** The result: `value` as one line of JSON where that was asked for, else what a person reads. */
  print(value: unknown, human: () => string): void {
    const text = this.json ? JSON.stringify(value) : human();
    this.components.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** Says on standard error what went wrong, with what can be done; `about` names the part that it concerns. */
  reportError(error: TuttiError, about?: string): void {
    if (this.exitCode === EXIT.ok) this.exitCode = exitCodeOf(error.code);
    const { code, detail, info } = error;
    const { title, status, advice } = ERRORS[code];
    if (this.json) {
      const problem = { code, title, status, detail, advice, ...info, ...(about === undefined ? {} : { about }) };
      this.components.stderr.write(`${JSON.stringify(problem)}\n`);
      return;
    }
    // A detail may have several lines (BAD_CONFIG); what else it holds may come from a node or a file, and stays inert.
    const shown = detail.split('\n').map(printable).join('\n');
    this.components.stderr.write(`${about === undefined ? '' : `${printable(about)}: `}${code}: ${shown}\n${advice}\n`);
  }

  /** Bold on a terminal that has not been asked to do without (https://no-color.org). */
  readonly bold = (text: string): string => {
    const { stdout, env } = this.components;
    const isPlain = !stdout.isTerminal || (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb';
    return isPlain ? text : `\u001b[1m${text}\u001b[0m`;
  };
}

/**
 * Makes a commander action of a handler, which is called with the session, the command's arguments and its own options.
 * The types of arguments and options are the handler's to say, as they are commander's to deliver.
 */
export type RunCommand = <A extends unknown[]>(
  handler: (session: Session, ...args: A) => Promise<void> | void,
) => (...args: unknown[]) => Promise<void>;

/** An empty variable counts as none: it is what scripts make of an unset one. */
function textOr<T>(text: string | undefined, otherwise: T): string | T {
  return text === undefined || text === '' ? otherwise : text;
}
