/** Who may import whom: the arrows of ARCHITECTURE.md, enforced. A folder that is in no rule may be imported by nobody. */
const PURE = 'core|library|playback|cluster|clock|audio|config|paxos';
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
      name: 'pure-folders-stay-pure',
      severity: 'error',
      from: { path: `^src/(${PURE})/` },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'adapters-are-composed-at-the-root',
      severity: 'error',
      comment: 'only the daemon, main.ts, the worker entries and the command line put adapters in',
      from: { path: '^src/', pathNot: '^src/(io|workers|daemon|cli|dev|main\\.ts)' },
      to: { path: '^src/io/' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
