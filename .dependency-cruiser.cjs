/** Who may import whom: the arrows of ARCHITECTURE.md, enforced. A folder that is in no rule may be imported by nobody. */
const PURE = 'core|library|playback|cluster|clock|audio|config|paxos|web/model';
/** Of the nodes' code the page takes types alone: what the contract says, and which codes there are. */
const CONTRACT = 'http/schema\\.ts|core/errors\\.ts';
const only = (name, from, to, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: `^src/(${from})/` },
  to: { path: '^src/', pathNot: `^src/(${to})/` },
});

module.exports = {
  forbidden: [
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    only('core-knows-nobody', 'core', 'core', 'core is the ground'),
    only('library', 'library', 'core|library', 'facts about tracks'),
    only('playback', 'playback', 'core|playback', 'queue and timeline need no tracks'),
    only('cluster', 'cluster', 'core|library|playback|cluster', 'the state machine is made of its parts'),
    only('audio', 'audio', 'core|library|audio', 'signal processing knows no queue'),
    only('config', 'config', 'core|config', 'one schema'),
    only('ports', 'ports', `ports|${PURE}`, 'interfaces speak in pure terms'),
    only('io', 'io', `io|ports|${PURE}`, 'adapters know ports'),
    only('paxos', 'paxos', 'core|paxos', 'agreement needs nobody'),
    only('clock', 'clock', 'core|clock', 'clocks need nobody'),
    only('timekeeping', 'timekeeping', 'timekeeping|clock|config|ports|core', 'the clock over UDP knows no leader'),
    only('storage', 'storage', 'storage|paxos|ports|core', 'records are bytes'),
    only('replication', 'replication', 'replication|storage|paxos|clock|ports|core', 'consensus knows no music'),
    only('tracks', 'tracks', 'tracks|ports|core|library|audio', 'files of tracks'),
    only('player', 'player', 'player|ports|core|library|playback|audio', 'sound knows no cluster'),
    only('node', 'node', `node|tracks|player|replication|ports|${PURE}`, 'use cases know no HTTP and no adapters'),
    only('http', 'http', `http|node|tracks|ports|${PURE}`, 'one way in'),
    {
      name: 'web',
      comment: 'the page knows the contract and nothing else of the nodes',
      severity: 'error',
      from: { path: '^src/web/' },
      to: { path: '^src/', pathNot: `^src/(web/|${CONTRACT})` },
    },
    {
      name: 'web-takes-types',
      comment: 'no code of the nodes runs in a browser',
      severity: 'error',
      from: { path: '^src/web/' },
      to: { path: '^src/', pathNot: '^src/web/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'web-model',
      comment: 'what the page works out needs no browser',
      severity: 'error',
      from: { path: '^src/web/model/' },
      to: { path: '^src/web/', pathNot: '^src/web/model/' },
    },
    {
      name: 'web-world',
      comment: 'what speaks with the browser knows nothing of what is shown',
      severity: 'error',
      from: { path: '^src/web/world/' },
      to: { path: '^src/web/', pathNot: '^src/web/(world|model)/' },
    },
    {
      name: 'web-app',
      comment: 'what is known is apart from how it is shown',
      severity: 'error',
      from: { path: '^src/web/(app|text)/' },
      to: { path: '^src/web/(view/|main)' },
    },
    {
      name: 'the-page-is-served-as-files',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/web/' },
      to: { path: '^src/web/' },
    },
    {
      name: 'pure-folders-stay-pure',
      severity: 'error',
      from: { path: `^src/(${PURE})/` },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'adapters-are-composed-at-the-root',
      severity: 'error',
      comment: 'only the daemon, the programs, the worker entries and the command line put adapters in',
      from: { path: '^src/', pathNot: '^src/(io|workers|daemon|cli|dev|main\\.ts|lamps-off\\.ts)' },
      to: { path: '^src/io/' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.css'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
