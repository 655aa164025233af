/**
 * Style that no linter checks: what pure folders may not do, where timers and the console are, and that everything exported says
 * what it is. Each violation is printed as `file:line`.
 *
 * Rules look at the syntax tree, so that a comment may say Date; only the rules on comments look at text.
 */
import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import ts from 'typescript';

/** A file with what a rule needs of it. */
interface Source {
  /** Relative to the repository, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
  /** Every node of the tree. */
  readonly nodes: readonly ts.Node[];
}

interface Violation {
  /** Offset in the text. */
  readonly at: number;
  readonly what: string;
}

type Rule = (source: Source) => Iterable<Violation>;

function parse(path: string, text: string): Source {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
  const nodes: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    nodes.push(node);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return { path, text, tree, nodes };
}

/** Names that are used as they stand, not as a member of something else, save of the global object: `setTimeout`, `globalThis.Date`. */
function* globalsUsed(source: Source): Generator<ts.Identifier> {
  for (const node of source.nodes) {
    if (!ts.isIdentifier(node)) continue;
    const { parent } = node;
    const isMember =
      (ts.isPropertyAccessExpression(parent) &&
        parent.name === node &&
        !/^global(This)?$/.test(parent.expression.getText())) ||
      (ts.isPropertyAssignment(parent) && parent.name === node) ||
      ((ts.isPropertySignature(parent) || ts.isMethodSignature(parent) || ts.isMethodDeclaration(parent)) &&
        parent.name === node);
    if (!isMember) yield node;
  }
}

const IMPURE = new Set(
  'Date Intl Promise performance process setTimeout setInterval setImmediate queueMicrotask fetch crypto'.split(' '),
);

/** Pure folders: the same input gives the same output, at once, everywhere. */
const pureFoldersArePure: Rule = function* (source) {
  for (const name of globalsUsed(source)) {
    if (IMPURE.has(name.text)) yield { at: name.getStart(), what: `uses ${name.text}` };
  }
  for (const node of source.nodes) {
    if (ts.isAwaitExpression(node)) yield { at: node.getStart(), what: 'awaits' };
    if (node.kind === ts.SyntaxKind.AsyncKeyword) yield { at: node.getStart(), what: 'is async' };
    if (!ts.isPropertyAccessExpression(node)) continue;
    const member = node.name.text;
    if (/^(localeCompare|toLocale\w*)$/.test(member)) yield { at: node.name.getStart(), what: `calls ${member}` };
    if (node.getText() === 'Math.random') yield { at: node.getStart(), what: 'calls Math.random' };
  }
};

/** Time is injected, so that tests own it; timers have names. */
const timersAreInOnePlace: Rule = function* (source) {
  for (const name of globalsUsed(source)) {
    if (/^set(Timeout|Interval)$/.test(name.text)) {
      yield { at: name.getStart(), what: `uses ${name.text}: take the Time port` };
    }
  }
  for (const node of source.nodes) {
    const isTimers = ts.isStringLiteral(node) && /^(node:)?timers(\/promises)?$/.test(node.text);
    if (isTimers && ts.isImportDeclaration(node.parent)) {
      yield { at: node.getStart(), what: `imports ${node.text}: take the Time port` };
    }
  }
};

/** What is said to people goes through the Log port, or is the output of a command. */
const consoleIsForCommands: Rule = function* (source) {
  for (const name of globalsUsed(source)) {
    if (name.text === 'console') yield { at: name.getStart(), what: 'writes to the console: take the Log port' };
  }
};

/** True where a doc comment ends on the line above the declaration. */
function isDocumented(source: Source, node: ts.Node): boolean {
  const comments = ts.getLeadingCommentRanges(source.text, node.getFullStart()) ?? [];
  const docs = comments.filter(({ pos, end }) => {
    const isDoc = source.text.startsWith('/**', pos);
    const between = source.text.slice(end, node.getStart());
    // Other comments, such as one for the linter, may stand between, blank lines may not.
    return isDoc && !/\n\s*\n/.test(between);
  });
  return docs.length > 0;
}

/** Names that a statement of a module declares. */
function namesOf(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map((declaration) => declaration.name.getText());
  }
  const name = (statement as ts.Statement & { readonly name?: ts.Node }).name;
  return name === undefined ? [] : [name.getText()];
}

/** True for `export type X = Static<typeof X>` right after the schema `X`: one thing, and the schema's comment speaks for both. */
function isTypeOfSchema(statement: ts.Statement, before: ts.Statement | undefined): boolean {
  if (!ts.isTypeAliasDeclaration(statement) || before === undefined || !ts.isVariableStatement(before)) return false;
  const name = statement.name.text;
  return namesOf(before).includes(name) && statement.type.getText() === `Static<typeof ${name}>`;
}

/** Whatever a module gives to others says what it is. */
const exportsAreDocumented: Rule = function* (source) {
  const { statements } = source.tree;
  const declared = new Map<string, ts.Statement>();
  const listed = new Map<ts.Statement, string>();
  statements.forEach((statement, index) => {
    if (isTypeOfSchema(statement, statements[index - 1])) return;
    const isDirect =
      ts.canHaveModifiers(statement) &&
      (ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false);
    const names = namesOf(statement);
    for (const name of names) declared.set(name, statement);
    if (isDirect) listed.set(statement, names.join(', '));
  });
  // `export { a, b }` of names of this file; `export … from` is documented where it comes from.
  for (const statement of statements) {
    if (!ts.isExportDeclaration(statement) || statement.moduleSpecifier || !statement.exportClause) continue;
    if (!ts.isNamedExports(statement.exportClause)) continue;
    for (const element of statement.exportClause.elements) {
      const name = (element.propertyName ?? element.name).getText();
      const declaration = declared.get(name);
      if (declaration !== undefined) listed.set(declaration, name);
    }
  }
  for (const [statement, name] of listed) {
    if (isDocumented(source, statement)) continue;
    yield { at: statement.getStart(), what: `exports ${name} without a doc comment directly above` };
  }
};

/** A newcomer learns from the first lines what a file is for. */
const filesHaveHeaders: Rule = function* ({ text }) {
  if (!text.replace(/^#!.*\n/, '').startsWith('/**')) {
    yield { at: 0, what: 'does not start with a comment that says what the module is for' };
  }
};

const LEFTOVERS: readonly (readonly [RegExp, string])[] = [
  // Written with a class of one character, so that this file does not find itself.
  [/\b(TO[D]O|FIX[M]E|X[X]X)\b/g, 'is not finished'],
  [/@ts-(i[g]nore|n[o]check)/g, 'silences the compiler'],
  [/(c8|istanbul|v8)\s+i[g]nore/g, 'hides code from coverage'],
];

/** Nothing is left for later, and nothing is hidden from the tools. */
const nothingIsLeftOver: Rule = function* ({ text }) {
  for (const [pattern, what] of LEFTOVERS) {
    for (const found of text.matchAll(pattern)) yield { at: found.index, what: `${what}: ${found[0]}` };
  }
};

/** `file:line what` of each violation. */
function check(rule: Rule, sources: readonly Source[]): string[] {
  return sources.flatMap((source) =>
    Array.from(rule(source), ({ at, what }) => {
      const { line } = source.tree.getLineAndCharacterOfPosition(at);
      return `${source.path}:${line + 1} ${what}`;
    }),
  );
}

const read = (folder: string): Source[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path))
    .sort()
    .map((path) => parse(`${folder}/${path}`, readFileSync(`${folder}/${path}`, 'utf8')));

// The tests run from the repository's root; what is compiled lies elsewhere.
const src = read('src');
const tests = read('test');

const pureConfig = ts.parseConfigFileTextToJson('tsconfig', readFileSync('src/tsconfig.pure.json', 'utf8')).config;
const pureFolders: string[] = pureConfig.include.map((pattern: string) => `src/${pattern.split('*')[0]}`);
const isIn = (folders: readonly string[]) => (source: Source) =>
  folders.some((folder) => source.path.startsWith(folder));
const isNotIn = (folders: readonly string[]) => (source: Source) => !isIn(folders)(source);

t.test('there is something to look at', (t) => {
  t.ok(src.length > 20 && tests.length > 20);
  t.ok(pureFolders.includes('src/core/'));
  t.ok(src.some(isIn(pureFolders)));
  t.end();
});

const RULES: readonly (readonly [string, Rule, readonly Source[]])[] = [
  [
    'pure folders have no clock, no chance, no locale and nothing asynchronous',
    pureFoldersArePure,
    src.filter(isIn(pureFolders)),
  ],
  [
    'timers are set in io/time only, and for the page in one file of its own',
    timersAreInOnePlace,
    src.filter(isNotIn(['src/io/time/', 'src/dev/', 'src/web/world/timers.ts'])),
  ],
  ['the console belongs to the command line', consoleIsForCommands, src.filter(isNotIn(['src/cli/', 'src/dev/']))],
  ['everything exported has a doc comment', exportsAreDocumented, src],
  ['every file says what it is for', filesHaveHeaders, src],
  ['nothing is left over', nothingIsLeftOver, [...src, ...tests]],
];

for (const [sentence, rule, sources] of RULES) {
  t.test(sentence, (t) => {
    for (const violation of check(rule, sources)) t.fail(violation);
    t.pass(`${sources.length} files`);
    t.end();
  });
}

t.test('the rules find what they look for, and nothing else', (t) => {
  const find = (rule: Rule, text: string) => check(rule, [parse('f.ts', text)]);
  t.same(
    find(
      pureFoldersArePure,
      `// Date, Promise
      const a = Math.random() + Date.now();
      async function b(): Promise<void> { await 1; }
      globalThis.setTimeout(b, 1);
      'a'.localeCompare('b'); (1).toLocaleString();
      const c = { Date: 1 }; c.Date;`,
    ).toSorted(),
    [
      'f.ts:2 calls Math.random',
      'f.ts:2 uses Date',
      'f.ts:3 awaits',
      'f.ts:3 is async',
      'f.ts:3 uses Promise',
      'f.ts:4 uses setTimeout',
      'f.ts:5 calls localeCompare',
      'f.ts:5 calls toLocaleString',
    ],
  );
  t.same(
    find(
      timersAreInOnePlace,
      `import { setTimeout as s } from 'node:timers/promises';\nsocket.setTimeout(5);\nsetInterval(f, 1);`,
    ),
    [
      'f.ts:1 uses setTimeout: take the Time port',
      'f.ts:3 uses setInterval: take the Time port',
      'f.ts:1 imports node:timers/promises: take the Time port',
    ],
  );
  t.same(find(consoleIsForCommands, `a.console.log(1);\nconsole.log(2);`), [
    'f.ts:2 writes to the console: take the Log port',
  ]);
  t.same(
    find(
      exportsAreDocumented,
      `/** Header. */
      import 'x';
      export const bare = 1;
      /** Said. */
      export const A = 1;
      export type A = Static<typeof A>;
      export const Bare = 1;
      export type Bare = Static<typeof Bare>;
      export type A = Static<typeof Bare>;
      /** Too far. */

      export function far() {}
      /** Said. */
      // biome-ignore x
      export class B {}
      interface Later {}
      export { type Later, local as renamed };
      /** Said. */
      const local = 1;
      export * from 'y';`,
    ),
    [
      'f.ts:3 exports bare without a doc comment directly above',
      'f.ts:7 exports Bare without a doc comment directly above',
      'f.ts:9 exports A without a doc comment directly above',
      'f.ts:12 exports far without a doc comment directly above',
      'f.ts:16 exports Later without a doc comment directly above',
    ],
  );
  t.same(find(filesHaveHeaders, `import 'x';`), [
    'f.ts:1 does not start with a comment that says what the module is for',
  ]);
  t.same(find(filesHaveHeaders, `#!/usr/bin/env node\n/** Said. */`), []);
  t.equal(find(nothingIsLeftOver, `// ${'TO'}DO\n// @ts-${'ig'}nore\n/* c8 ${'ig'}nore next */`).length, 3);
  t.end();
});
