/** The first minute of a node: it starts a house, or joins one. What was typed stays where something was wrong with it. */
import { useState } from 'preact/hooks';
import { useApp, useWords } from '../context.js';
import { Alerts } from '../house/alerts.js';
import { RegionFrame } from '../parts/region.js';

/** Joining waits for the house to answer. Milliseconds. */
const JOIN_MS_MAX = 60_000;
const KEY = /^[0-9a-fA-F]{64}$/;

/** Both ways. */
export function SetupRegion() {
  const app = useApp();
  const words = useWords();
  const { node, cluster } = app.store.state.value!;
  if (cluster.id !== null) return <SetUp />;
  return (
    <RegionFrame region="setup" isHeadingHidden>
      <p class="song-title">{words.welcome}</p>
      <p>{words.welcomeText(node.name)}</p>
      <Alerts level="h2" />
      <div class="ways">
        <StartHouse />
        <JoinHouse />
      </div>
    </RegionFrame>
  );
}

/** Who comes here by an old address. */
function SetUp() {
  const words = useWords();
  return (
    <RegionFrame region="setup">
      <p>{words.joined}</p>
      <a class="button" href="#/now">
        {words.regions.now}
      </a>
    </RegionFrame>
  );
}

function StartHouse() {
  const app = useApp();
  const words = useWords();
  const [isBusy, setBusy] = useState(false);
  const [why, setWhy] = useState<string | null>(null);
  const start = async () => {
    setBusy(true);
    const written = await app.actions.ask({ method: 'POST', path: '/cluster/init', limitMs: JOIN_MS_MAX });
    setBusy(false);
    if (written.ok) location.hash = '#/now';
    else setWhy(app.wordsFor(written.refusal));
  };
  return (
    <section class="way" aria-labelledby="start-title">
      <h2 id="start-title">{words.startHouse}</h2>
      <p class="quiet">{words.startHouseText}</p>
      <p class="bad" role="alert">
        {why}
      </p>
      <button type="button" class="button button-main" aria-disabled={isBusy} onClick={() => void (isBusy || start())}>
        {isBusy ? words.working : words.startHouse}
      </button>
    </section>
  );
}

interface Wrong {
  readonly field: 'address' | 'key';
  readonly text: string;
}

function JoinHouse() {
  const app = useApp();
  const words = useWords();
  const [address, setAddress] = useState('');
  const [key, setKey] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<Wrong | null>(null);
  const houses = (app.store.state.value!.nearby ?? []).filter(({ cluster }) => cluster !== null);
  const join = async (event: Event) => {
    event.preventDefault();
    if (isBusy) return;
    const secret = key.trim();
    if (address.trim() === '') return setWrong({ field: 'address', text: words.addressMissing });
    if (secret !== '' && !KEY.test(secret)) return setWrong({ field: 'key', text: words.keyOdd });
    setBusy(true);
    setWrong(null);
    const body = { address: address.trim(), ...(secret !== '' && { key: secret }) };
    const written = await app.actions.ask({ method: 'POST', path: '/cluster/join', body, limitMs: JOIN_MS_MAX });
    setBusy(false);
    if (written.ok) {
      setKey('');
      location.hash = '#/now';
      return;
    }
    const field = written.refusal.code === 'KEY_REFUSED' ? 'key' : 'address';
    setWrong({ field, text: app.wordsFor(written.refusal) });
  };
  const whyOf = (field: Wrong['field']) => (wrong?.field === field ? wrong.text : null);
  return (
    <section class="way" aria-labelledby="join-title">
      <h2 id="join-title">{words.joinHouse}</h2>
      <p class="quiet">{words.joinHouseText}</p>
      <form onSubmit={(event) => void join(event)} autocomplete="off" noValidate>
        <Field
          name="address"
          label={words.address}
          hint={words.addressHint}
          value={address}
          why={whyOf('address')}
          change={setAddress}
        />
        {houses.length > 0 && (
          <div class="found">
            <span class="quiet">{words.foundNearby}</span>
            {houses.map(({ name, address }) => (
              <button key={address} type="button" class="button" onClick={() => setAddress(address)}>
                <bdi>{name}</bdi>
              </button>
            ))}
          </div>
        )}
        <Field name="key" label={words.key} hint={words.keyHint} value={key} why={whyOf('key')} change={setKey} />
        <button type="submit" class="button button-main" aria-disabled={isBusy}>
          {isBusy ? words.working : words.join}
        </button>
      </form>
    </section>
  );
}

interface FieldInit {
  readonly name: string;
  readonly label: string;
  readonly hint: string;
  readonly value: string;
  readonly why: string | null;
  readonly change: (value: string) => void;
}

/** A field that says what is wrong with it, where it is wrong. */
function Field({ name, label, hint, value, why, change }: FieldInit) {
  return (
    <div class="setup-field">
      <label class="labelled">
        {label}
        <input
          type="text"
          name={name}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          value={value}
          aria-invalid={why !== null}
          aria-describedby={`${name}-hint ${name}-why`}
          onInput={(event) => change(event.currentTarget.value)}
        />
      </label>
      <p id={`${name}-hint`} class="quiet">
        {hint}
      </p>
      <p id={`${name}-why`} class="bad" role="alert">
        {why}
      </p>
    </div>
  );
}
