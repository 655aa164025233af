/** Prometheus' text format 0.0.4, read as its documentation has it ("Exposition formats"), and what `promtool check metrics` would say of it. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"/;
const SAMPLE = new RegExp(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\\{(${LABEL.source}(?:,${LABEL.source})*)?\\})? (\\S+)$`);
const SUFFIXES: Readonly<Record<string, readonly string[]>> = { histogram: ['_bucket', '_sum', '_count'] };

const numberOf = (text: string): number =>
  ({ '+Inf': Number.POSITIVE_INFINITY, '-Inf': Number.NEGATIVE_INFINITY, NaN: Number.NaN })[text] ?? Number(text);

/** The families of an exposition. @throws Error for the first line that has no place in it */
export function parseExposition(text: string): Family[] {
  const families: { name: string; help: string; type: string; samples: Sample[] }[] = [];
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, what, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    const family = families.at(-1);
    if (what === 'HELP') {
      if (families.some((known) => known.name === name)) throw new Error(`${name} comes twice`);
      families.push({ name, help: rest, type: '', samples: [] });
    } else if (what === 'TYPE') {
      if (family?.name !== name || family.type !== '') throw new Error(`a type out of place: ${line}`);
      family.type = rest;
    } else {
      const match = SAMPLE.exec(line);
      const [sample = '', labels = ''] = match?.slice(1) ?? [];
      const value = numberOf(match?.at(-1) ?? '');
      const names = [family?.name, ...(SUFFIXES[family?.type ?? ''] ?? []).map((suffix) => `${family?.name}${suffix}`)];
      if (match === null || family === undefined || !names.includes(sample)) throw new Error(`no sample: ${line}`);
      const pairs = [...labels.matchAll(new RegExp(LABEL.source, 'g'))].map(([, key, quoted]) => [
        key!,
        quoted!.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)),
      ]);
      family.samples.push({ name: sample, labels: Object.fromEntries(pairs) as Record<string, string>, value });
    }
  }
  return families;
}

/** Abbreviations and units that are not base units, as promtool's linter knows them. */
const NO_BASE_UNITS =
  /_(ms|msec|milliseconds|us|microseconds|ns|nanoseconds|minutes|hours|days|kb|kilobytes|mb|megabytes|percent|ppm|bits)(_|$)/;

/** What is wrong with these families by Prometheus' naming rules ("Metric and label naming"); nothing where promtool is content. */
export function lint(families: readonly Family[]): string[] {
  return families.flatMap(({ name, help, type, samples }) => {
    const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)));
    const seen = samples.map((sample) => JSON.stringify([sample.name, sample.labels]));
    const says = (isWrong: boolean, what: string) => (isWrong ? [`${name}: ${what}`] : []);
    return [
      ...says(help.trim() === '', 'no help text'),
      ...says(!['counter', 'gauge', 'histogram'].includes(type), `type ${type}`),
      ...says(type === 'counter' && !name.endsWith('_total'), 'a counter that does not end in _total'),
      ...says(type !== 'counter' && name.endsWith('_total'), 'ends in _total and is no counter'),
      ...says(type !== 'histogram' && /_(count|sum|bucket)$/.test(name), 'ends like a part of a histogram'),
      ...says(type !== 'histogram' && labels.has('le'), 'the label le outside of a histogram'),
      ...says(labels.has('quantile'), 'the label quantile outside of a summary'),
      ...says(NO_BASE_UNITS.test(name), 'no base unit'),
      ...says(new RegExp(`_${type}(_|$)`).test(name), 'its type in its name'),
      ...says(/[A-Z:]/.test(name) || [...labels].some((label) => /[A-Z]/.test(label)), 'capitals or colons'),
      ...says(
        [...labels].some((label) => name.includes(`_by_${label}`)),
        'a label in its name',
      ),
      ...says(new Set(seen).size < seen.length, 'the same sample twice'),
      ...says(
        samples.some(({ value }) => Number.isNaN(value)),
        'a value that is no number',
      ),
    ];
  });
}
