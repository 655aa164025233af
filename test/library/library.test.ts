import t from 'tap';
import { TuttiError } from '../../src/core/errors.js';
import { Library, trackOf } from '../../src/library/library.js';
import { cleanTitle } from '../../src/library/title.js';
import { idOf, trackNamed } from '../cluster/house.js';

const titles = (library: Library) => library.list().map((track) => track.title);

t.test('same title, other bytes: a new track with a title of its own [row 4]', (t) => {
  const library = new Library();
  t.equal(library.add(trackNamed(1, 'Song.wav')).title, 'Song');
  t.equal(library.add(trackNamed(2, 'SONG')).title, 'SONG (2)');
  t.equal(library.add(trackNamed(3, 'a/b')).title, 'a/b');
  t.equal(library.add(trackNamed(4, 'A_B')).title, 'A_B (2)', 'distinct also where "/" cannot be shown');
  library.checkInvariants();
  t.end();
});

t.test('same bytes: TRACK_EXISTS names the track that has them, and nothing moves [row 4]', (t) => {
  const library = new Library();
  library.add(trackNamed(1, 'Song'));
  t.throws(() => library.add(trackNamed(1, 'Other')), {
    code: 'TRACK_EXISTS',
    info: { trackId: idOf(1), title: 'Song' },
  });
  t.equal(library.rev, 1);
  t.same(titles(library), ['Song']);
  t.end();
});

t.test('a track without a showable title takes its file name, or none', (t) => {
  const library = new Library();
  t.equal(library.add({ ...trackNamed(1, '\n'), fileName: 'tune.wav' }).title, 'tune');
  t.equal(library.add({ ...trackNamed(2, '\n'), fileName: '.wav' }).title, 'Untitled');
  t.end();
});

t.test('the list is in one order on every node, whatever the order of adding [row 13]', (t) => {
  const names = ['b', 'A', 'a2', 'Ä', 'z', 'Z (2)', '10', '9'];
  const one = new Library();
  const other = new Library();
  names.forEach((name, k) => void one.add(trackNamed(k, name)));
  [...names.keys()].reverse().forEach((k) => void other.add(trackNamed(k, names[k]!)));
  t.same(titles(one), ['10', '9', 'A', 'a2', 'b', 'z', 'Z (2)', 'Ä']);
  t.same(one.list(), other.list());
  t.equal(one.list(), one.list(), 'and is made once');
  t.end();
});

t.test('the list falls back on code units and ids where keys cannot tell', (t) => {
  const twins = [trackNamed(2, 'same'), trackNamed(1, 'same'), trackNamed(3, 'Same')];
  t.same(
    Library.of(twins, 1)
      .list()
      .map((track) => track.id),
    [idOf(3), idOf(1), idOf(2)],
  );
  t.end();
});

t.test('a rename is cleaned and made distinct, and keeps everything else of the track', (t) => {
  const library = new Library();
  library.add({ ...trackNamed(1, 'one'), mood: 'from a newer version' } as ReturnType<typeof trackNamed>);
  library.add(trackNamed(2, 'two'));
  t.equal(library.rename(idOf(1), 'TWO.wav').title, 'TWO (2)');
  t.match(library.get(idOf(1)), { mood: 'from a newer version' });
  t.equal(library.rename(idOf(1), 'two (2)').title, 'two (2)', 'its own title is not in its own way');
  t.equal(library.rev, 4);
  library.rename(idOf(1), 'two (2)');
  t.equal(library.rev, 4, 'a rename to what it is called already is no change');
  t.throws(() => library.rename(idOf(1), ' \n.wav'), { code: 'BAD_NAME' });
  t.throws(() => library.rename(idOf(9), 'x'), { code: 'TRACK_NOT_FOUND', info: { trackId: idOf(9) } });
  library.checkInvariants();
  t.end();
});

t.test('a title that was given up is free again', (t) => {
  const library = new Library();
  library.add(trackNamed(1, 'one'));
  library.remove(idOf(1));
  t.equal(library.size, 0);
  t.equal(library.rev, 2);
  t.throws(() => library.remove(idOf(1)), TuttiError);
  t.equal(library.add(trackNamed(2, 'ONE')).title, 'ONE');
  t.throws(() => trackOf(library, idOf(1)), { code: 'TRACK_NOT_FOUND' });
  t.end();
});

t.test('a track is found by its title with or without ".wav" [row 12]', (t) => {
  const library = new Library();
  library.add(trackNamed(1, 'One/Two'));
  for (const name of ['One/Two', 'one_two.wav', 'ONE/TWO.WAV']) t.equal(library.findByTitle(name)?.id, idOf(1), name);
  t.equal(library.findByTitle('one'), undefined);
  t.end();
});

t.test('broken catalogues are told from good ones', (t) => {
  const broken = [[trackNamed(1, 'x'), trackNamed(2, 'X')], [trackNamed(1, 'x.wav')], [trackNamed(1, '')]];
  for (const tracks of broken) {
    t.throws(() => Library.of(tracks, 1).checkInvariants(), { name: 'InvariantError' });
  }
  Library.of([trackNamed(1, cleanTitle('x.wav'))], 1).checkInvariants();
  t.end();
});
