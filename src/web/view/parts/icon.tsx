/** Pictures of 24 by 24, drawn in the colour of the text beside them. They never stand for a word alone in navigation. */

/** Strokes of 2, in the language of SVG; a solid picture is filled. */
const PATHS = {
  now: 'M9 18V5l10-2v13M9 18a3 2.4 0 1 1-6 0 3 2.4 0 0 1 6 0M19 16a3 2.4 0 1 1-6 0 3 2.4 0 0 1 6 0',
  queue: 'M4 6h12M4 12h12M4 18h7M15 15v6l5-3z',
  library: 'M4 4v16M9 4v16M14 5l5 15',
  house: 'M3 11l9-8 9 8M6 9v11h12V9',
  sync: 'M3 12h4l2-7 4 14 3-9 1.5 2H21',
  previous: 'M18 5L8 12l10 7zM5 5v14',
  skip: 'M6 5l10 7-10 7zM19 5v14',
  volume: 'M4 9v6h4l5 4V5L8 9zM16 9a4 4 0 0 1 0 6M18.5 6.5a8 8 0 0 1 0 11',
  muted: 'M4 9v6h4l5 4V5L8 9zM17 10l4 4M21 10l-4 4',
  more: 'M12 4.5v1M12 11.5v1M12 18.5v1',
  grip: 'M5 9h14M5 15h14',
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14M16 16l5 5',
  upload: 'M12 16V4M7 9l5-5 5 5M4 16v4h16v-4',
  close: 'M6 6l12 12M18 6L6 18',
  repeat: 'M17 2l4 4-4 4M3 11V9a3 3 0 0 1 3-3h15M7 22l-4-4 4-4M21 13v2a3 3 0 0 1-3 3H3',
  shuffle: 'M3 6h4l10 12h4M3 18h4l3-3.6M14 9.6L17 6h4M18 3l3 3-3 3M18 15l3 3-3 3',
  minus: 'M5 12h14',
  plus: 'M5 12h14M12 5v14',
  menu: 'M4 7h16M4 12h16M4 17h16',
  check: 'M5 12l5 5L20 6',
} as const;

const SOLID = { play: 'M7 4l14 8-14 8z', pause: 'M6 4h4v16H6zM14 4h4v16h-4z' } as const;

/** Which pictures there are. */
export type IconName = keyof typeof PATHS | keyof typeof SOLID;

/** A picture without a meaning of its own: the button or link around it has the name. */
export function Icon({ name, size = 24 }: { readonly name: IconName; readonly size?: number }) {
  const isSolid = name in SOLID;
  const d = isSolid ? SOLID[name as keyof typeof SOLID] : PATHS[name as keyof typeof PATHS];
  return (
    <svg class={isSolid ? 'icon icon-solid' : 'icon'} width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d={d} />
    </svg>
  );
}
